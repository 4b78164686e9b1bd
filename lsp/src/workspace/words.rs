//! From the watch's word on a file to what the editor lists. The text is read for one thing alone: columns travel in
//! characters, and editors count in other units.

use std::{
    fs::File, io::Read as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf, sync::Arc,
    time::Duration,
};

use nix::libc;
use saferun_protocol::{Finding, Risk, WatchedFile};
use saferun_scanner::{Level, Position as Place, Range as Places};
use tokio::sync::Semaphore;
use tower_lsp_server::ls_types::{
    CodeDescription, Diagnostic, DiagnosticSeverity, NumberOrString, Position, Range,
};

use crate::{
    diagnostics::{MOST, RUN, SCAN, page, severity, whole_file},
    document::MAX_BYTES,
    position::{Encoding, LineIndex},
    text::one_line,
};

/// How long a file may take to be read; on a file system that hangs the columns are taken as they are.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// How findings are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) encoding: Encoding,
    pub(super) least: Level,
}

/// The diagnostics of a file that is not open.
pub(super) async fn of_file(
    file: &WatchedFile,
    view: View,
    reads: &Arc<Semaphore>,
) -> Vec<Diagnostic> {
    let text = match file.file.to_path() {
        Some(path) if needs_text(file, view.encoding) => read(path, reads).await,
        _ => None,
    };
    of_text(file, view, text.as_deref())
}

/// A scanner's columns are characters: what an editor counts differs only in the code units.
fn needs_text(file: &WatchedFile, encoding: Encoding) -> bool {
    encoding != Encoding::Utf32 && file.findings.iter().any(|one| one.cell.is_none())
}

/// At most one read at a time: one that hangs must not take all threads with it.
async fn read(path: PathBuf, reads: &Arc<Semaphore>) -> Option<String> {
    let permit = Arc::clone(reads).try_acquire_owned().ok()?;
    let job = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES as u64).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    });
    tokio::time::timeout(READ_WITHIN, job).await.ok()?.ok()?
}

fn of_text(file: &WatchedFile, view: View, text: Option<&str>) -> Vec<Diagnostic> {
    let index = text.map(LineIndex::new);
    let range = |finding: &Finding| match (text, &index) {
        _ if finding.cell.is_some() => Range::default(),
        (Some(text), Some(index)) => index.of_scan(text, places(finding), view.encoding),
        _ => as_they_are(finding),
    };
    let shown = || {
        let all = file.findings.iter();
        all.filter(move |one| level(one.level) >= view.least)
    };
    let mut all: Vec<Diagnostic> = shown()
        .take(MOST)
        .map(|finding| of_finding(finding, range(finding)))
        .collect();
    let beyond = shown().count().saturating_sub(MOST) as u64 + file.more_findings;
    if beyond > 0 {
        all.push(whole_file(format!("{beyond} more findings are not shown")));
    }
    if let Some(problem) = &file.problem {
        all.push(whole_file(format!(
            "This file is not scanned: {}",
            one_line(problem)
        )));
    }
    all.extend(answers(file));
    all
}

/// What the watch did by itself.
fn answers(file: &WatchedFile) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    if file.quarantined {
        all.push(whole_file(
            "This file is in quarantine: the watch took all rights from it. `saferunctl watch release` gives them back".to_owned(),
        ));
    }
    if let Some(run) = &file.run {
        all.push(Diagnostic {
            source: Some(RUN.to_owned()),
            ..whole_file(format!(
                "The watch ran it in the sandbox: {}",
                one_line(&run.message)
            ))
        });
    }
    all
}

fn of_finding(finding: &Finding, range: Range) -> Diagnostic {
    let place = finding.cell.map_or_else(String::new, |cell| {
        format!(" (cell {cell}, line {})", finding.range.start.line)
    });
    let message = format!("{}: {}{place}", finding.level, finding.message);
    Diagnostic {
        range,
        severity: Some(severity(level(finding.level))),
        code: Some(NumberOrString::String(one_line(&finding.rule))),
        code_description: page(&finding.rule, &finding.name).map(|href| CodeDescription { href }),
        source: Some(SCAN.to_owned()),
        message: one_line(&message),
        ..Diagnostic::default()
    }
}

/// One word instead of many, where there is no room.
pub(super) fn counted(count: usize) -> Diagnostic {
    Diagnostic {
        severity: Some(DiagnosticSeverity::WARNING),
        ..whole_file(format!("{count} findings; open the file to see them"))
    }
}

fn places(finding: &Finding) -> Places {
    let place = |at: saferun_protocol::Position| Place {
        line: at.line,
        column: at.column,
    };
    Places {
        start: place(finding.range.start),
        end: place(finding.range.end),
    }
}

/// Right wherever a line is plain ASCII.
fn as_they_are(finding: &Finding) -> Range {
    let place = |at: saferun_protocol::Position| Position {
        line: at.line.saturating_sub(1),
        character: at.column.saturating_sub(1),
    };
    Range::new(place(finding.range.start), place(finding.range.end))
}

const fn level(risk: Risk) -> Level {
    match risk {
        Risk::Low => Level::Low,
        Risk::Medium => Level::Medium,
        Risk::High => Level::High,
        Risk::Blocked => Level::Blocked,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use saferun_protocol::{HostPath, Position as At, Range as From};

    use super::*;

    fn file(column: u32) -> WatchedFile {
        let path = |text: &str| HostPath::from(Path::new(text));
        let mut file = WatchedFile::new(path("/w"), path("/w/a.py"));
        let at = |column| At { line: 1, column };
        file.findings = vec![Finding::new(
            "SR101".to_owned(),
            "shell-command".to_owned(),
            Risk::High,
            "a\u{1b}[2J\nb".to_owned(),
            From {
                start: at(column),
                end: at(column + 1),
            },
        )];
        file
    }

    fn shown(file: &WatchedFile, encoding: Encoding, text: Option<&str>) -> Vec<Diagnostic> {
        let view = View {
            encoding,
            least: Level::Low,
        };
        of_text(file, view, text)
    }

    #[test]
    fn columns_are_in_the_units_of_the_editor() {
        let text = "é𝄞x\n";
        let start = |encoding, text| {
            let all = shown(&file(3), encoding, text);
            (all[0].range.start.line, all[0].range.start.character)
        };
        assert_eq!(start(Encoding::Utf8, Some(text)), (0, 6));
        assert_eq!(start(Encoding::Utf16, Some(text)), (0, 3));
        assert_eq!(start(Encoding::Utf32, None), (0, 2));
        assert_eq!(start(Encoding::Utf16, Some("")), (0, 0), "it changed since");
    }

    #[test]
    fn nothing_of_the_code_reaches_the_list_as_it_is() {
        let all = shown(&file(1), Encoding::Utf16, None);
        assert!(!all[0].message.contains(['\u{1b}', '\n']), "{:?}", all[0]);
    }

    #[test]
    fn findings_below_the_wanted_level_stay_out_and_those_of_a_cell_name_it() {
        let mut file = file(1);
        let view = View {
            encoding: Encoding::Utf16,
            least: Level::Blocked,
        };
        assert!(of_text(&file, view, None).is_empty());
        file.findings[0].cell = Some(3);
        file.quarantined = true;
        let all = shown(&file, Encoding::Utf16, Some("whatever"));
        assert!(all[0].message.ends_with("(cell 3, line 1)"), "{:?}", all[0]);
        assert_eq!(all[0].range, Range::default());
        assert!(all[1].message.contains("in quarantine"));
    }

    #[tokio::test]
    async fn a_fifo_or_a_link_is_not_read() {
        let top = tempfile::tempdir().unwrap();
        let reads = Arc::new(Semaphore::new(1));
        let fifo = top.path().join("a.py");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read(fifo, &reads).await, None);
        let file = top.path().join("b.py");
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, top.path().join("c.py")).unwrap();
        assert_eq!(read(top.path().join("c.py"), &reads).await, None);
        assert_eq!(read(file, &reads).await.as_deref(), Some("x"));
    }
}
