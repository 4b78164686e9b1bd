//! From a run's account to lines of the code: the line that raised, else the first line with what ended the run. Pure.

use saferun_protocol::{Outcome, RunResult};

/// What a run said of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Line, from 0.
    pub(crate) line: u32,
    pub(crate) message: String,
}

impl Mark {
    pub(crate) fn new(line: u32, message: String) -> Self {
        Self { line, message }
    }
}

/// The marks of a run of a file with this base name.
pub(crate) fn of(result: &RunResult, stderr: &str, file_name: &str) -> Vec<Mark> {
    let raised = traceback(stderr, file_name);
    let went_well = result.status == Outcome::Completed && result.exit_code == Some(0);
    match (result.status, raised) {
        (Outcome::Completed, Some(mark)) => vec![mark],
        (_, _) if went_well => Vec::new(),
        (Outcome::Completed | Outcome::Cancelled | Outcome::Blocked, None) => Vec::new(),
        (
            Outcome::Timeout | Outcome::Oom | Outcome::PidsExhausted | Outcome::DiskFull,
            Some(mark),
        ) => {
            vec![Mark::new(
                mark.line,
                format!("{} ({})", result.message, mark.message),
            )]
        }
        (_, Some(mark)) => vec![mark],
        (_, None) => vec![Mark::new(0, result.message.clone())],
    }
}

/// The innermost line of the script in the last traceback, with the exception's own line.
fn traceback(stderr: &str, file_name: &str) -> Option<Mark> {
    let mut found = None;
    let mut lines = stderr.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(number) = frame(line, file_name) else {
            continue;
        };
        found = Some((number, lines.clone()));
    }
    let (number, after) = found?;
    let message = after
        .into_iter()
        .find(|line| !line.starts_with(' ') && !line.trim().is_empty())
        .unwrap_or("an exception was raised here");
    Some(Mark::new(number.checked_sub(1)?, message.to_owned()))
}

/// The line number of `  File "/x/NAME", line N, in f`.
fn frame(line: &str, file_name: &str) -> Option<u32> {
    // Groups of exceptions draw bars before their lines.
    let rest = line
        .trim_start_matches([' ', '|', '+', '-'])
        .strip_prefix("File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    let base = path.rsplit('/').next()?;
    if base != file_name {
        return None;
    }
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAISED: &str = "Traceback (most recent call last):\n  File \"/workspace/a.py\", line 7, in <module>\n    f()\n  File \"/workspace/a.py\", line 3, in f\n    json.loads('x')\n  File \"/usr/lib/python3.11/json/__init__.py\", line 346, in loads\n    return x\njson.decoder.JSONDecodeError: Expecting value: line 1\n";

    fn result(status: Outcome, exit_code: Option<u8>) -> RunResult {
        let mut result = RunResult::new("id".to_owned(), status, "what ended it".to_owned());
        result.exit_code = exit_code;
        result
    }

    #[test]
    fn the_innermost_line_of_the_script_is_marked() {
        let marks = of(&result(Outcome::Completed, Some(1)), RAISED, "a.py");
        let want = "json.decoder.JSONDecodeError: Expecting value: line 1";
        assert_eq!(marks, [Mark::new(2, want.to_owned())]);
        assert_eq!(of(&result(Outcome::Completed, Some(1)), RAISED, "b.py"), []);
    }

    #[test]
    fn a_limit_is_told_of_somewhere() {
        let marks = of(&result(Outcome::Timeout, None), "", "a.py");
        assert_eq!(marks, [Mark::new(0, "what ended it".to_owned())]);
        let marks = of(&result(Outcome::Oom, None), RAISED, "a.py");
        assert_eq!(marks[0].line, 2);
        assert!(marks[0].message.contains("what ended it"));
    }

    #[test]
    fn a_good_run_marks_nothing() {
        assert_eq!(
            of(&result(Outcome::Completed, Some(0)), "noise", "a.py"),
            []
        );
        assert_eq!(of(&result(Outcome::Cancelled, None), "", "a.py"), []);
    }

    #[test]
    fn a_hostile_traceback_is_only_text() {
        let forged = "  File \"a.py\", line 99999999999999999999, in x\n  File \"a.py\", line 0\n";
        assert_eq!(of(&result(Outcome::Completed, Some(1)), forged, "a.py"), []);
    }
}
