//! The readable account of a run, for clients without a view of their own: a text file that only its owner can read, in
//! a folder that goes with the server. The newest ones are kept.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use saferun_protocol::{Observation, Place, RunResult};

use crate::text::{one_line, output};

/// Reports that are kept.
const KEPT: usize = 20;
/// Most lines of each part of what a run did.
const LINES: usize = 200;

/// The folder with the reports.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    folder: Option<PathBuf>,
    files: VecDeque<PathBuf>,
}

impl Reports {
    /// Writes one and gives its path.
    pub(super) fn write(
        &self,
        result: &RunResult,
        stdout: &str,
        stderr: &str,
    ) -> io::Result<PathBuf> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match &inner.folder {
            Some(folder) if folder.is_dir() => folder.clone(),
            _ => {
                let folder = make_folder(&std::env::temp_dir())?;
                inner.folder = Some(folder.clone());
                folder
            }
        };
        // The id is the daemon's, but a path is made of it here.
        let id: String = result
            .id
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .take(64)
            .collect();
        let path = folder.join(format!("run-{id}.txt"));
        if inner.files.contains(&path) && path.is_file() {
            return Ok(path);
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?
            .write_all(text(result, stdout, stderr).as_bytes())?;
        inner.files.push_back(path.clone());
        if inner.files.len() > KEPT
            && let Some(old) = inner.files.pop_front()
        {
            let _ = fs::remove_file(old);
        }
        Ok(path)
    }

    /// Removes the folder with all that is in it.
    pub(crate) fn remove(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = inner.folder.take() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// A new folder; one that is there already is somebody else's.
fn make_folder(base: &Path) -> io::Result<PathBuf> {
    for attempt in 0..100u32 {
        let folder = base.join(format!("saferun-lsp-{}-{attempt}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn text(result: &RunResult, stdout: &str, stderr: &str) -> String {
    let mut text = format!("SafeRun: {}\n", one_line(&result.message));
    let status = serde_json::to_value(result.status).unwrap_or_default();
    let _ = writeln!(text, "status    {}", status.as_str().unwrap_or("unknown"));
    if let Some(code) = result.exit_code {
        let _ = writeln!(text, "exit code {code}");
    }
    let _ = writeln!(text, "risk      {}", result.risk);
    let _ = writeln!(text, "time      {:.0} ms", result.usage.wall_ms);
    if !result.limits_hit.is_empty() {
        let hit = serde_json::to_value(&result.limits_hit).unwrap_or_default();
        let hit = hit.as_array().into_iter().flatten();
        let names: Vec<&str> = hit.filter_map(serde_json::Value::as_str).collect();
        let _ = writeln!(text, "limits    {}", names.join(", "));
    }
    if let Some(bytes) = result.usage.peak_memory_bytes {
        let _ = writeln!(text, "memory    {} MiB", bytes.div_ceil(1024 * 1024));
    }
    let _ = writeln!(
        text,
        "sandbox   {} {}, policy {}{}",
        one_line(&result.sandbox.engine),
        one_line(&result.sandbox.runtime),
        one_line(&result.policy),
        if result.overridden {
            ", overridden"
        } else {
            ""
        }
    );
    let _ = writeln!(text, "id        {}", one_line(&result.id));
    let left = result.left_behind();
    for note in (result.policy_warnings.iter())
        .chain(&result.advice)
        .chain(&left)
    {
        let _ = writeln!(text, "note      {}", one_line(note));
    }
    for (name, content) in [("output", stdout), ("errors", stderr)] {
        if !content.is_empty() {
            let _ = write!(text, "\n---- {name} ----\n{}", output(content));
            if !content.ends_with('\n') {
                text.push('\n');
            }
        }
    }
    story(result, &mut text);
    if result.dropped_bytes > 0 {
        let _ = writeln!(
            text,
            "\n{} bytes of output were dropped",
            result.dropped_bytes
        );
    }
    if !result.findings.is_empty() {
        text.push_str("\n---- findings ----\n");
    }
    for finding in &result.findings {
        let observed = finding.observed.map(Observation::words);
        let observed = observed.map_or_else(String::new, |words| format!(" ({words})"));
        let _ = writeln!(
            text,
            "{:7} line {:4}  {} {}{observed}",
            finding.level,
            finding.range.start.line,
            finding.rule,
            one_line(&finding.message)
        );
    }
    text
}

/// What a traced run did, the surprises first, and what any run would have changed.
fn story(result: &RunResult, text: &mut String) {
    for part in result.story() {
        let _ = writeln!(text, "\n---- {} ----", one_line(&part.title));
        for line in part.lines.iter().take(LINES) {
            let _ = writeln!(text, "{}", one_line(&line.text));
        }
        if part.lines.len() > LINES {
            let _ = writeln!(text, "and {} more", part.lines.len() - LINES);
        }
        if let Some(note) = &part.note {
            let _ = writeln!(text, "{note}");
        }
    }
    let changes = result.effects.iter().flat_map(|effects| &effects.changes);
    for (number, change) in changes.take(LINES).enumerate() {
        if number == 0 {
            text.push_str("\n---- what it would have changed ----\n");
        }
        let kind = serde_json::to_value(change.kind).unwrap_or_default();
        let home = if change.place == Place::Home {
            "~/"
        } else {
            ""
        };
        let path = one_line(&change.path);
        let _ = writeln!(
            text,
            "{:9} {home}{path}",
            kind.as_str().unwrap_or("changed")
        );
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use saferun_protocol::{
        Change, ChangeKind, Effects, EventKind, Finding, Outcome, Position, Range, Risk, Seen,
        Trace, TraceEvent, TraceVerdict,
    };

    use super::*;

    #[test]
    fn the_story_is_told_with_the_surprises_first() {
        let mut result = RunResult::new("id".to_owned(), Outcome::Completed, String::new());
        let event = |what: &str, line| TraceEvent {
            at_us: 1,
            kind: EventKind::Delete,
            call: "unlink".to_owned(),
            what: what.to_owned(),
            verdict: TraceVerdict::Allowed,
            pid: 2,
            count: 1,
            file: Some("main.py".to_owned()),
            line: Some(line),
            seen: Seen::Kernel,
        };
        let mut trace = Trace::default();
        trace.events = vec![event("/workspace/a", 3), event("/workspace/\u{1b}b", 9)];
        trace.unforetold = vec![1];
        result.trace = Some(trace);
        let at = |line| Position { line, column: 1 };
        let range = Range {
            start: at(3),
            end: at(3),
        };
        let mut finding = Finding::new(
            "SR301".to_owned(),
            "deletes-file".to_owned(),
            Risk::Low,
            "deletes".to_owned(),
            range,
        );
        finding.observed = Some(Observation::Observed);
        result.findings = vec![finding];
        let mut effects = Effects::default();
        effects.changes = vec![Change::new(
            Place::Home,
            "x".to_owned(),
            ChangeKind::Deleted,
        )];
        result.effects = Some(effects);
        let text = text(&result, "", "");
        let told = "---- what no finding predicted ----\nmain.py:9: take away /workspace/\\x1bb\n\n\
            ---- what was let through, perhaps in vain ----\nmain.py:3: take away /workspace/a\n\n\
            ---- what was predicted ----\nLOW deletes-file at line 3: observed\n\n\
            ---- what it would have changed ----\ndeleted   ~/x\n\n\
            ---- findings ----\nLOW     line    3  SR301 deletes (observed)\n";
        assert!(text.contains(told), "{text}");
    }

    #[test]
    fn a_report_is_private_and_harmless_and_goes_with_the_server() {
        let reports = Reports::default();
        let result = RunResult::new(
            "../../x".to_owned(),
            Outcome::Completed,
            "m\u{1b}[2J".to_owned(),
        );
        let path = reports
            .write(&result, "out\u{1b}]52;c;x\u{7}\n", "")
            .unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.contains("out\\x1b]52") && !written.contains('\u{1b}'));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(path.file_name().unwrap(), "run-x.txt");
        reports.remove();
        assert!(!path.exists());
    }
}
