//! `saferun-python`: a stand-in for `python3`. Turns the arguments of an interpreter into those of
//! `saferunctl run`. Pure.

use std::{ffi::OsString, os::unix::ffi::OsStringExt};

/// Name under which saferunctl is the stand-in.
pub(crate) const NAME: &str = "saferun-python";

/// Options of `python3` that change nothing here: output is never held back, nothing of the user's is
/// in reach, and no bytecode is kept.
const WITHOUT_MEANING: &str = "uBEIsqP";

/// Why there is no run: the exit code, and what to say.
type Refusal = (u8, String);

/// The arguments for saferunctl, or what to say and the exit code. `terminal`: standard input is one. `local`: whether
/// there is something of this name in the working folder.
pub(crate) fn translate(
    args: impl Iterator<Item = OsString>,
    terminal: bool,
    local: impl Fn(&str) -> bool,
) -> Result<Vec<OsString>, Refusal> {
    let mut args = args.skip(1);
    while let Some(arg) = args.next() {
        let shown = arg.to_string_lossy();
        let Some(options) = shown.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            return Ok(run(&[&arg], args));
        };
        if options == "-version" {
            return Ok(version());
        }
        for (at, option) in options.char_indices() {
            // The rest of the word, or the next.
            let mut value = || {
                let rest = &arg.as_encoded_bytes()[1 + at + option.len_utf8()..];
                let rest = OsString::from_vec(rest.to_vec());
                Some(rest)
                    .filter(|rest| !rest.is_empty())
                    .or_else(|| args.next())
            };
            match option {
                'c' => {
                    let code = value().ok_or_else(|| missing('c'))?;
                    return Ok(run(&[&"-c".into(), &code], args));
                }
                'm' => {
                    let module = value().ok_or_else(|| missing('m'))?;
                    let words = run_module(&module.to_string_lossy(), local)?;
                    return Ok(run(&words.iter().collect::<Vec<_>>(), args));
                }
                'V' => return Ok(version()),
                option if WITHOUT_MEANING.contains(option) => {}
                _ => return Err(unknown(&shown)),
            }
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
    Ok(run(&[&"-".into()], std::iter::empty()))
}

fn run(script: &[&OsString], rest: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut line: Vec<OsString> = ["saferunctl", "run", "--quiet"]
        .map(OsString::from)
        .to_vec();
    line.extend(script.iter().copied().cloned());
    line.push("--".into());
    line.extend(rest);
    line
}

fn version() -> Vec<OsString> {
    let code = "import sys; print('Python', sys.version.split()[0])";
    run(&[&"-c".into(), &code.into()], std::iter::empty())
}

/// A module of the image runs as `python3 -m` runs it. One file of the working folder is a script; a package of one's own
/// would need its whole folder.
fn run_module(module: &str, local: impl Fn(&str) -> bool) -> Result<Vec<OsString>, Refusal> {
    let is_name = |part: &str| {
        !part.starts_with(|first: char| first.is_ascii_digit())
            && !part.is_empty()
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    if !module.split('.').all(is_name) {
        let shown = crate::ui::one_line(module);
        return Err((1, format!("{NAME}: No module named {shown}")));
    }
    let file = format!("{module}.py");
    if local(&file) {
        return Ok(vec![file.into()]);
    }
    let first = module.split('.').next().unwrap_or(module);
    if local(first) || local(&format!("{first}.py")) {
        return Err((
            2,
            format!(
                "{NAME}: -m {module}: a package of yours is not in the sandbox; name its file with its folder: saferunctl run --workspace . FILE"
            ),
        ));
    }
    let code = format!("import runpy; runpy._run_module_as_main('{module}')");
    Ok(vec!["-c".into(), code.into()])
}

fn missing(option: char) -> Refusal {
    (2, format!("argument expected for the -{option} option"))
}

fn unknown(option: &str) -> Refusal {
    (
        2,
        format!(
            "{NAME}: the option {} of python3 is not to be had in the sandbox; use: {NAME} [-c CODE | -m MODULE | FILE | -] [ARGS]",
            crate::ui::one_line(option)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(line: &[&str], terminal: bool) -> Result<String, Refusal> {
        let args = std::iter::once(NAME).chain(line.iter().copied());
        let local = |name: &str| ["tool.py", "pkg"].contains(&name);
        let line = translate(args.map(OsString::from), terminal, local)?;
        let words: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
        Ok(words.join(" "))
    }

    #[test]
    fn scripts_code_modules_and_input_become_runs() {
        let json = "-c import runpy; runpy._run_module_as_main('json.tool') -- --compact";
        for (line, run) in [
            (&["a.py", "-x", "--", "y"][..], "a.py -- -x -- y"),
            (&["-u", "-B", "a.py"], "a.py --"),
            (&["-uBI", "a.py", "-m"], "a.py -- -m"),
            (&["-c", "print(1)", "-c"], "-c print(1) -- -c"),
            (&["-Bcprint(1)", "x"], "-c print(1) -- x"),
            (&["-m", "json.tool", "--compact"], json),
            (&["-mjson.tool", "--compact"], json),
            (&["-m", "tool", "x"], "tool.py -- x"),
            (&["-", "x"], "- -- x"),
            (&[], "- --"),
            (
                &["-V"],
                "-c import sys; print('Python', sys.version.split()[0]) --",
            ),
        ] {
            let wanted = format!("saferunctl run --quiet {run}");
            assert_eq!(translated(line, false), Ok(wanted), "{line:?}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_said() {
        for (line, exit, word) in [
            (&["-m", "pkg"][..], 2, "package of yours"),
            (&["-m", "pkg.part"], 2, "package of yours"),
            (&["-m", "x'); evil('"], 1, "No module named"),
            (&["-m", "../x"], 1, "No module named"),
            (&["-m", ".x"], 1, "No module named"),
            (&["-m"], 2, "argument expected"),
            (&["-X", "dev", "a.py"], 2, "option -X"),
            (&["-ui"], 2, "option -ui"),
            (&["--help"], 2, "option --help"),
            (&["-c"], 2, "argument expected"),
        ] {
            let (code, why) = translated(line, false).expect_err("refused");
            assert!(code == exit && why.contains(word), "{line:?}: {why}");
        }
        assert!(translated(&[], true).is_err());
    }
}
