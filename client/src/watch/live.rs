//! The watch on a terminal: one table of the files with findings, worst first, drawn anew only when something changed
//! and at most four times a second.

use std::{cmp::Reverse, fmt::Write as _, time::Duration};

use console::{Term, measure_text_width, truncate_str};
use saferun_protocol::{Outcome, Risk, RootState, WatchEvent, WatchRun, WatchedFile};
use tokio::time::Instant;

use super::state::State;
use crate::{
    record::name,
    ui::{self, Paint, one_line},
};

/// Shortest time between two drawings.
const APART: Duration = Duration::from_millis(250);

/// The table, as it stands on the terminal.
#[derive(Debug, Default)]
pub(super) struct Live {
    state: State,
    due: Option<Instant>,
    drawn: Option<Instant>,
    lines: usize,
}

impl Live {
    /// Takes an event in; it is drawn later.
    pub(super) fn take(&mut self, event: &WatchEvent) {
        self.state.take(event);
        let soonest = self.drawn.map_or_else(Instant::now, |drawn| drawn + APART);
        self.due.get_or_insert(soonest);
    }

    /// When to draw next, if anything changed.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Draws over what was drawn before.
    pub(super) fn draw(&mut self) {
        let (rows, columns) = Term::stdout().size();
        let lines = lines(&self.state, rows.into(), columns.into(), Paint::stdout());
        let mut text = String::new();
        if self.lines > 0 {
            // To the first line of the table, and nothing after it.
            text = format!("\x1b[{}F\x1b[J", self.lines);
        }
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        ui::out(text);
        self.lines = lines.len();
        (self.due, self.drawn) = (None, Some(Instant::now()));
    }
}

/// The table's lines, none wider than the terminal, all together lower than it.
fn lines(state: &State, rows: usize, columns: usize, paint: Paint) -> Vec<String> {
    let mut lines: Vec<String> = state
        .roots
        .values()
        .map(|root| {
            let doing = match root.state {
                RootState::Scanning => "scanning",
                RootState::Watching => "watching",
                RootState::Polling => "looking every few seconds",
                RootState::Gone => "gone",
                _ => "",
            };
            let mut line = format!("{}  {doing}", one_line(&root.root.path));
            if root.state == RootState::Scanning {
                let _ = write!(line, ", {} files", root.files);
            }
            if let Some(reason) = &root.reason {
                let _ = write!(line, " ({})", one_line(reason));
            }
            if !root.skipped.is_empty() {
                let _ = write!(line, ", passed over: {}", one_line(&root.skipped.join(" ")));
            }
            paint.dim(&truncate_str(&line, columns, "…"))
        })
        .collect();
    if let Some((message, advice)) = &state.notice {
        let line = format!("note: {}; {}", one_line(message), one_line(advice));
        lines.push(paint.warn(&truncate_str(&line, columns, "…")));
    }
    let mut files: Vec<&WatchedFile> = state.files.values().collect();
    files.sort_by_key(|file| (Reverse(file.risk), &file.file));
    // A line for what is left out, and one for the cursor.
    let room = rows.saturating_sub(lines.len() + 2).max(1);
    lines.extend(
        files
            .iter()
            .take(room)
            .map(|file| row(file, columns, paint)),
    );
    if files.is_empty() {
        lines.push(paint.good("nothing found"));
    } else if files.len() > room {
        lines.push(paint.dim(&format!("and {} more files", files.len() - room)));
    }
    lines
}

fn row(file: &WatchedFile, columns: usize, paint: Paint) -> String {
    let word = format!("{:<8}", file.risk.to_string());
    let word = match file.risk {
        Risk::Low => paint.dim(&word),
        Risk::Medium => paint.warn(&word),
        _ => paint.bad(&word),
    };
    let root = format!("{}/", file.root.path);
    let path = file
        .file
        .path
        .strip_prefix(&root)
        .unwrap_or(&file.file.path);
    let mut rest = format!(" {}", one_line(path));
    let first = file.findings.first().filter(|_| file.problem.is_none());
    if let Some(first) = first {
        let _ = write!(rest, ":{}", first.range.start.line);
    }
    if file.generated.is_some() {
        rest.push_str("  [generated]");
    }
    if file.quarantined {
        rest.push_str("  [in quarantine]");
    }
    if let Some(run) = &file.run {
        let _ = write!(rest, "  [{}]", ran(run));
    }
    if let Some(problem) = &file.problem {
        let _ = write!(rest, "  cannot be scanned: {}", one_line(problem));
    }
    if let Some(first) = first {
        let _ = write!(rest, "  {} {}", first.rule, one_line(&first.message));
        let more = file.findings.len() as u64 - 1 + file.more_findings;
        if more > 0 {
            let _ = write!(rest, "  (+{more})");
        }
    }
    let left = columns.saturating_sub(measure_text_width(&word));
    format!("{word}{}", truncate_str(&rest, left, "…"))
}

/// What became of a run that the watch began, in a few words.
fn ran(run: &WatchRun) -> String {
    match (run.status, run.exit_code) {
        (Some(Outcome::Completed), Some(code)) => format!("run: exit code {code}"),
        (Some(status), _) => format!("run: {}", name(status).replace('_', " ")),
        (None, _) => format!("not run: {}", one_line(&run.message)),
    }
}

#[cfg(test)]
mod tests {
    use saferun_protocol::{HostPath, WatchRoot};

    use super::*;

    fn path(text: &str) -> HostPath {
        HostPath::from(std::path::Path::new(text))
    }

    #[test]
    fn the_table_fits_and_shows_the_worst_first_and_nothing_of_a_hostile_name_reaches_the_terminal()
    {
        let mut state = State::default();
        state.take(&WatchEvent::Ready(WatchRoot::new(path("/w"))));
        for number in 0..50 {
            let mut file = WatchedFile::new(path("/w"), path(&format!("/w/{number:02}\x1b[2J.py")));
            file.risk = if number == 49 {
                Risk::Blocked
            } else {
                Risk::Low
            };
            file.problem = Some("x".repeat(500));
            state.take(&WatchEvent::File(Box::new(file)));
        }
        let table = lines(&state, 10, 40, Paint::plain());
        assert_eq!(table.len(), 9, "{table:#?}");
        assert!(table[1].starts_with("BLOCKED  49"), "{table:#?}");
        assert_eq!(table[8], "and 43 more files");
        for line in &table {
            assert!(measure_text_width(line) <= 40, "{line}");
            assert!(!line.contains('\x1b'), "{line:?}");
        }
        state.take(&WatchEvent::Resync { root: path("/w") });
        assert!(state.files.is_empty());
    }

    #[test]
    fn what_was_done_about_a_file_stands_in_its_line() {
        let mut file = WatchedFile::new(path("/w"), path("/w/a.py"));
        let told = |file: &WatchedFile| row(file, 120, Paint::plain());
        assert_eq!(told(&file), "LOW      a.py");
        file.quarantined = true;
        assert_eq!(told(&file), "LOW      a.py  [in quarantine]");
        let mut run = WatchRun::refused("too many\x1b[2J runs");
        let mut ran = |status, exit_code| {
            (run.status, run.exit_code) = (status, exit_code);
            file.run = Some(run.clone());
            told(&file)
        };
        for (status, exit_code, words) in [
            (Some(Outcome::Completed), Some(7), "[run: exit code 7]"),
            (Some(Outcome::PidsExhausted), None, "[run: pids exhausted]"),
            (None, None, "[not run: too many"),
        ] {
            let line = ran(status, exit_code);
            assert!(line.contains(words), "{line}");
            assert!(!line.contains('\x1b'), "{line:?}");
        }
    }
}
