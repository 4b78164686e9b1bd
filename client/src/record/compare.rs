//! What differs between two records, their code included. Times and memory always do, and are left out. Pure.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{RunRecord, RunResult};
use serde::Serialize;

use super::words::name;

/// Longest piece of a line that is told, in bytes.
const WIDTH: usize = 160;

/// One thing that differs.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// What it is.
    pub(super) what: String,
    /// As it was.
    pub(super) before: String,
    /// As it is now.
    pub(super) after: String,
}

impl Difference {
    fn new(what: &str, before: String, after: String) -> Self {
        Self {
            what: what.to_owned(),
            before,
            after,
        }
    }
}

/// All that differs.
pub(super) fn compare(before: &RunRecord, after: &RunRecord) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut look = |what: &str, before: String, after: String| {
        if before != after {
            found.push(Difference::new(what, before, after));
        }
    };
    look(
        "code",
        before.code_sha256.clone(),
        after.code_sha256.clone(),
    );
    let (Some(old), Some(new)) = (&before.result, &after.result) else {
        look("record", kept(before), kept(after));
        return found;
    };
    look("outcome", ended(old), ended(new));
    look("policy", policy(old), policy(new));
    if !old.sandbox.image.is_empty() && !new.sandbox.image.is_empty() {
        look(
            "image",
            old.sandbox.image.clone(),
            new.sandbox.image.clone(),
        );
        look(
            "isolation",
            old.sandbox.runtime.clone(),
            new.sandbox.runtime.clone(),
        );
    }
    look("risk", old.risk.to_string(), new.risk.to_string());
    look("findings", findings(old), findings(new));
    let shown = |record: &RunRecord| record.output_kept && !record.output_withheld;
    if shown(before) && shown(after) {
        for (what, stdout) in [("standard output", true), ("standard error", false)] {
            let difference = first_difference(&bytes(old, stdout), &bytes(new, stdout));
            found.extend(difference.map(|(line, before, after)| {
                Difference::new(&format!("{what}, from line {line} on,"), before, after)
            }));
        }
    }
    found
}

fn kept(record: &RunRecord) -> String {
    if record.result.is_some() {
        "there"
    } else {
        "not kept"
    }
    .to_owned()
}

fn ended(result: &RunResult) -> String {
    let code = result.exit_code.map(|code| format!(", exit code {code}"));
    let signal = result.signal.map(|signal| format!(", signal {signal}"));
    [Some(name(result.status)), code, signal]
        .into_iter()
        .flatten()
        .collect()
}

fn policy(result: &RunResult) -> String {
    format!("{} {}", result.policy, result.policy_hash)
}

fn findings(result: &RunResult) -> String {
    let mut all: Vec<String> = result
        .findings
        .iter()
        .map(|finding| {
            format!(
                "line {} {} {}",
                finding.range.start.line, finding.rule, finding.message
            )
        })
        .collect();
    all.sort();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join("; ")
    }
}

fn bytes(result: &RunResult, stdout: bool) -> Vec<u8> {
    let (text, raw) = if stdout {
        (&result.stdout, &result.stdout_base64)
    } else {
        (&result.stderr, &result.stderr_base64)
    };
    raw.as_ref()
        .and_then(|base64| STANDARD.decode(base64).ok())
        .unwrap_or_else(|| text.clone().into_bytes())
}

/// Number of the first line that differs, and both.
fn first_difference(old: &[u8], new: &[u8]) -> Option<(usize, String, String)> {
    if old == new {
        return None;
    }
    let (mut old, mut new) = (
        old.split_inclusive(|b| *b == b'\n'),
        new.split_inclusive(|b| *b == b'\n'),
    );
    let mut number = 1;
    loop {
        match (old.next(), new.next()) {
            (Some(a), Some(b)) if a == b => number += 1,
            (a, b) => {
                let same = a.unwrap_or_default().iter().zip(b.unwrap_or_default());
                let same = same.take_while(|(a, b)| a == b).count();
                return Some((number, line(a, same), line(b, same)));
            }
        }
    }
}

/// A line around the place where it begins to differ.
fn line(bytes: Option<&[u8]>, same: usize) -> String {
    let Some(bytes) = bytes else {
        return "(end of the output)".to_owned();
    };
    let from = if same > WIDTH / 2 {
        same - WIDTH / 4
    } else {
        0
    };
    let piece = &bytes[from..bytes.len().min(from + WIDTH)];
    let text =
        std::str::from_utf8(piece).map_or_else(|_| piece.escape_ascii().to_string(), str::to_owned);
    let cut = |at| if at { "…" } else { "" };
    format!(
        "{}{text}{}",
        cut(from > 0),
        cut(from + piece.len() < bytes.len())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample;

    #[test]
    fn the_same_differs_in_nothing_though_times_do() {
        let (before, mut after) = (sample::record(), sample::record());
        let result = after.result.as_mut().unwrap();
        result.usage.wall_ms = 99.0;
        result.id = "another".to_owned();
        after.seq = 99;
        assert_eq!(compare(&before, &after), []);
    }

    #[test]
    fn each_kind_of_difference_is_told() {
        let before = sample::record();
        let mut after = sample::record();
        let result = after.result.as_mut().unwrap();
        result.exit_code = Some(0);
        result.policy_hash = "00".to_owned();
        result.sandbox.image = "sha256:00".to_owned();
        result.stdout = "<b>bold</b>\nother\n".to_owned();
        result.stderr_base64 = Some("/g==".to_owned());
        result.findings.clear();
        let told = compare(&before, &after);
        let what: Vec<&str> = told.iter().map(|difference| &difference.what[..]).collect();
        assert_eq!(
            what,
            [
                "outcome",
                "policy",
                "image",
                "findings",
                "standard output, from line 2 on,",
                "standard error, from line 1 on,"
            ]
        );
        assert_eq!(told[4].after, "other\n");
        after.output_kept = false;
        assert_eq!(compare(&before, &after).len(), 4);
    }

    #[test]
    fn the_first_line_that_differs() {
        assert_eq!(first_difference(b"a\nb\n", b"a\nb\n"), None);
        let found = first_difference(b"a\nb\n", b"a\n").unwrap();
        assert_eq!(
            found,
            (2, "b\n".to_owned(), "(end of the output)".to_owned())
        );
        assert_eq!(first_difference(b"", b"x").unwrap().0, 1);
        let long = |end: &str| format!("{}{end}\n", "a".repeat(5000));
        let (_, old, new) = first_difference(long("b").as_bytes(), long("c").as_bytes()).unwrap();
        assert!(
            old.ends_with("ab\n") && new.ends_with("ac\n"),
            "{old} {new}"
        );
        assert!(old.len() < 200);
        let (_, old, new) = first_difference(b"\xff", b"\xfe").unwrap();
        assert_eq!((old.as_str(), new.as_str()), ("\\xff", "\\xfe"));
    }
}
