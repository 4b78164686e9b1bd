//! `saferun-python`: a stand-in for `python3`. Turns the arguments of an interpreter into those of
//! `saferunctl run`. Pure.

use std::ffi::OsString;

/// Name under which saferunctl is the stand-in.
pub(crate) const NAME: &str = "saferun-python";

/// Options of `python3` that change nothing here: output is never held back, nothing of the user's is
/// in reach, and no bytecode is kept.
const WITHOUT_MEANING: [&str; 7] = ["-u", "-B", "-E", "-I", "-s", "-q", "-P"];

/// The arguments for saferunctl, or what to say and the exit code. `terminal`: standard input is one.
pub(crate) fn translate(
    args: impl Iterator<Item = OsString>,
    terminal: bool,
) -> Result<Vec<OsString>, (u8, String)> {
    let mut args = args.skip(1);
    let run = |script: &[&OsString], rest: Vec<OsString>| {
        let mut line: Vec<OsString> = ["saferunctl", "run", "--quiet"]
            .map(OsString::from)
            .to_vec();
        line.extend(script.iter().copied().cloned());
        line.push("--".into());
        line.extend(rest);
        line
    };
    while let Some(arg) = args.next() {
        let shown = arg.to_string_lossy();
        match shown.as_ref() {
            "-c" => {
                let code = args
                    .next()
                    .ok_or((2, "argument expected for the -c option".to_owned()))?;
                return Ok(run(&[&"-c".into(), &code], args.collect()));
            }
            "-m" => {
                return Err((
                    2,
                    format!(
                        "{NAME}: -m is not to be had: a sandbox has no modules of yours; name the script's file, or run the module with python3 if you trust it"
                    ),
                ));
            }
            "-V" | "--version" => {
                return Ok(run(
                    &[
                        &"-c".into(),
                        &"import sys; print('Python', sys.version.split()[0])".into(),
                    ],
                    Vec::new(),
                ));
            }
            option if WITHOUT_MEANING.contains(&option) => {}
            option if option.starts_with('-') && option != "-" => {
                return Err((
                    2,
                    format!(
                        "{NAME}: the option {} of python3 is not to be had in the sandbox; use: {NAME} [-c CODE | FILE | -] [ARGS]",
                        crate::ui::one_line(option)
                    ),
                ));
            }
            _ => return Ok(run(&[&arg], args.collect())),
        }
    }
    if terminal {
        return Err((
            2,
            format!(
                "{NAME}: there is no interactive mode; name a script, or write it to standard input"
            ),
        ));
    }
    Ok(run(&[&"-".into()], Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(line: &[&str], terminal: bool) -> Result<String, (u8, String)> {
        let args = std::iter::once(NAME).chain(line.iter().copied());
        let line = translate(args.map(OsString::from), terminal)?;
        let words: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
        Ok(words.join(" "))
    }

    #[test]
    fn scripts_code_and_input_become_runs() {
        for (line, run) in [
            (&["a.py", "-x", "--", "y"][..], "a.py -- -x -- y"),
            (&["-u", "-B", "a.py"], "a.py --"),
            (&["-c", "print(1)", "-c"], "-c print(1) -- -c"),
            (&["-", "x"], "- -- x"),
            (&[], "- --"),
        ] {
            let wanted = format!("saferunctl run --quiet {run}");
            assert_eq!(translated(line, false), Ok(wanted), "{line:?}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_said() {
        for (line, word) in [
            (&["-m", "pip"][..], "-m is not"),
            (&["-X", "dev", "a.py"], "option -X"),
            (&["-c"], "argument expected"),
        ] {
            let (code, why) = translated(line, false).expect_err("refused");
            assert!(code == 2 && why.contains(word), "{why}");
        }
        assert!(translated(&[], true).is_err());
    }
}
