//! `history verify` and `history seal`: whether the record is what was written.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use saferun_protocol::{ApiClient, Integrity, VerifyReport};

use crate::{
    args::Global,
    daemon, exit,
    failure::Failure,
    ui::{self, Paint, json, one_line},
};

/// A key has 64 digits; what is much longer is none.
const LONGEST_KEY: u64 = 4096;

/// Checks the record. Exit code 0 unless it is broken.
pub(crate) async fn verify(
    key: Option<&Path>,
    copy: Option<&Path>,
    as_json: bool,
    global: &Global,
) -> Result<u8, Failure> {
    let key = key.map(read_key).transpose()?;
    let sealed = key.is_some();
    let report = if let Some(copy) = copy {
        verify_copy(copy, key.as_deref())?
    } else {
        let client = daemon::reach(global.may_start()).await?;
        client.verify_history(key).await?
    };
    if as_json {
        ui::line(json(&report));
    } else {
        ui::out(text(&report, sealed, Paint::stdout()));
    }
    Ok(match report.verdict {
        Integrity::Broken => exit::NOT_OK,
        Integrity::Consistent | Integrity::Untampered => 0,
    })
}

/// Has the daemon's program look at a copy, since it knows the record and this one has no database. No daemon needs
/// to run, and the one that does is not asked. The key goes through a pipe.
fn verify_copy(copy: &Path, key: Option<&str>) -> Result<VerifyReport, Failure> {
    let shown = one_line(&copy.display().to_string());
    let cannot = |reason: &str| {
        Failure::failed(
            format!("cannot verify {shown}: {reason}"),
            "name a copy of audit.sqlite with its audit.head beside it",
        )
    };
    let mut command = Command::new(daemon::find_daemon()?);
    command.arg("verify");
    if key.is_some() {
        command.arg("--key-on-stdin");
    }
    let mut child = command
        .arg("--")
        .arg(copy)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot(&error.to_string()))?;
    if let (Some(mut stdin), Some(key)) = (child.stdin.take(), key) {
        stdin
            .write_all(key.as_bytes())
            .map_err(|error| cannot(&error.to_string()))?;
    }
    let output = child
        .wait_with_output()
        .map_err(|error| cannot(&error.to_string()))?;
    if !output.status.success() {
        return Err(cannot(&one_line(
            String::from_utf8_lossy(&output.stderr).trim(),
        )));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| cannot(&error.to_string()))
}

/// Begins a seal; the key goes to standard output and nowhere else.
pub(crate) async fn seal(as_json: bool, global: &Global) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let sealed = client.seal_history().await?;
    if as_json {
        ui::line(json(&sealed));
        return Ok(0);
    }
    ui::line(one_line(&sealed.key));
    ui::note(format!(
        "This key verifies the record from event {} on. It is shown this once and kept nowhere.\n\
         Keep it where the user of the daemon cannot write: saferunctl history verify --key FILE",
        sealed.from
    ));
    Ok(0)
}

/// A key is no argument: others on the machine can read those.
fn read_key(path: &Path) -> Result<String, Failure> {
    let read = |reader: &mut dyn Read| {
        let mut text = String::new();
        reader
            .take(LONGEST_KEY)
            .read_to_string(&mut text)
            .map(|_| text)
    };
    let text = if path.as_os_str() == "-" {
        read(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| read(&mut file))
    };
    let shown = one_line(&path.display().to_string());
    let text = text.map_err(|error| {
        Failure::usage(
            format!("cannot read the key in {shown}: {error}"),
            "check the path",
        )
    })?;
    let key = text.trim();
    if key.len() != 64 || !key.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Failure::usage(
            format!(
                "{shown} holds no key: it must be the 64 hexadecimal digits that `saferunctl history seal` showed"
            ),
            "a lost key cannot be shown again; begin a new seal for the runs to come",
        ));
    }
    Ok(key.to_owned())
}

fn text(report: &VerifyReport, key_given: bool, paint: Paint) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = match report.verdict {
        Integrity::Broken => writeln!(
            out,
            "{}: something in the record was changed, removed, added or re-ordered",
            paint.bad("broken")
        ),
        Integrity::Consistent => writeln!(
            out,
            "{}: chain and content fit together",
            paint.good("consistent")
        ),
        Integrity::Untampered => writeln!(
            out,
            "{}: nothing since the seal began was changed or removed",
            paint.good("untampered")
        ),
    };
    for problem in &report.problems {
        let _ = writeln!(out, "  {}", one_line(problem));
    }
    let _ = writeln!(
        out,
        "  {} events, last link {}",
        report.events,
        one_line(&report.head)
    );
    let _ = match (report.verdict, report.sealed_from) {
        (Integrity::Broken, _) => writeln!(
            out,
            "  keep a copy of the file as it is now, before anything else is written to it"
        ),
        (_, Some(from)) if key_given => writeln!(out, "  sealed from event {from} on"),
        (_, Some(from)) => writeln!(
            out,
            "  sealed from event {from} on, but not checked against it: give the key with --key FILE"
        ),
        (_, None) => writeln!(
            out,
            "  not sealed: who owns the file could have made it anew; `saferunctl history seal` begins a seal"
        ),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdict: Integrity, sealed_from: Option<u64>) -> VerifyReport {
        VerifyReport {
            verdict,
            events: 12,
            head: "ab".to_owned(),
            sealed_from,
            problems: Vec::new(),
        }
    }

    #[test]
    fn nothing_is_called_untampered_that_was_not_checked_against_a_seal() {
        let shown = |verdict, from, key| text(&report(verdict, from), key, Paint::plain());
        let consistent = shown(Integrity::Consistent, None, false);
        assert!(consistent.starts_with("consistent: ") && consistent.contains("not sealed"));
        let unchecked = shown(Integrity::Consistent, Some(4), false);
        assert!(unchecked.contains("not checked against it"), "{unchecked}");
        assert!(!consistent.contains("untampered") && !unchecked.contains("untampered"));
        let sealed = shown(Integrity::Untampered, Some(4), true);
        assert!(sealed.starts_with("untampered: ") && sealed.contains("sealed from event 4 on"));
    }

    #[test]
    fn a_key_is_64_digits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, format!("{}\n", "aB".repeat(32))).unwrap();
        assert_eq!(read_key(&path).unwrap(), "aB".repeat(32));
        std::fs::write(&path, "zz".repeat(32)).unwrap();
        assert_eq!(read_key(&path).unwrap_err().exit, 2);
        assert_eq!(read_key(&folder.path().join("none")).unwrap_err().exit, 2);
    }
}
