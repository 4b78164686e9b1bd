//! One open file: its text as the editor has it, what was found in its newest scanned version, and marks of runs.
//! Knows neither the client nor threads.

use std::{ops::Range, sync::Arc};

use saferun_scanner::{CancelFlag, Document, Report};
use tower_lsp_server::ls_types::{
    Position, Range as LspRange, TextDocumentContentChangeEvent, Uri,
};

use crate::{
    position::{Encoding, LineIndex},
    run::Mark,
};

/// Longest text that is scanned, in bytes: what a run may have.
pub(crate) const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A module or a script.
    Python,
    /// A cell of a notebook that the client keeps in step as such.
    Cell,
    /// Markdown with fenced Python.
    Markdown,
    /// A policy; true for a project's.
    Policy(bool),
}

impl Kind {
    /// The kind by the language that the editor names, and by the file's name.
    pub(crate) fn of(language: &str, name: &str) -> Option<Self> {
        let base = name.rsplit('/').next().unwrap_or(name);
        if base == ".saferun.yaml" {
            return Some(Self::Policy(true));
        }
        if name.ends_with("/saferun/policy.yaml") {
            return Some(Self::Policy(false));
        }
        match language {
            "python" => Some(Self::Python),
            "markdown" | "quarto" | "rmd" => Some(Self::Markdown),
            _ => match base.rsplit_once('.')?.1 {
                "py" | "pyw" | "pyi" => Some(Self::Python),
                "md" => Some(Self::Markdown),
                _ => None,
            },
        }
    }
}

/// What a scan found in one version.
#[derive(Debug)]
pub(crate) struct Found {
    /// The editor's version.
    pub(crate) version: i32,
    /// The text that was scanned.
    pub(crate) text: Arc<str>,
    pub(crate) index: LineIndex,
    pub(crate) report: Report,
    /// What is wrong with a policy file.
    pub(crate) policy: Vec<saferun_policy::Diagnostic>,
    /// It was too long to be scanned: that the report is empty says nothing.
    pub(crate) unscanned: bool,
}

impl Found {
    /// The risk in a word, for a person.
    pub(crate) fn risk(&self) -> String {
        if self.unscanned {
            return "not scanned".to_owned();
        }
        self.report.risk().to_string()
    }
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) kind: Kind,
    /// The notebook that this is a cell of.
    pub(crate) notebook: Option<Uri>,
    pub(crate) version: i32,
    pub(crate) text: String,
    /// The scanner's tree, absent while a scan has it.
    pub(crate) tree: Option<Document>,
    /// Edits that the tree has not seen, as bytes; `None` for "take the whole text".
    pub(crate) pending: Option<Vec<(Range<usize>, String)>>,
    /// Stops the scan that is under way.
    pub(crate) cancel: CancelFlag,
    /// Whether a worker looks after this file.
    pub(crate) busy: bool,
    /// Whether the text changed since the last scan began.
    pub(crate) stale: bool,
    /// Whether the tree of a text with errors is to be made as if the text were new.
    pub(crate) settle: bool,
    pub(crate) found: Option<Arc<Found>>,
    /// What runs said of lines.
    pub(crate) marks: Vec<Mark>,
}

/// More edits than this are cheaper as a fresh parse.
const MAX_PENDING: usize = 64;

impl Open {
    pub(crate) fn new(kind: Kind, version: i32, text: String) -> Self {
        Self {
            kind,
            notebook: None,
            version,
            text,
            tree: None,
            pending: None,
            cancel: CancelFlag::new(),
            busy: false,
            stale: true,
            settle: false,
            found: None,
            marks: Vec::new(),
        }
    }

    /// Applies the changes of one notification in order, and stops the scan of what was there before. A version that
    /// is not newer changes nothing.
    pub(crate) fn change(
        &mut self,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> bool {
        if version <= self.version {
            return false;
        }
        self.version = version;
        for change in changes {
            if let Some(range) = change.range {
                self.edit(range, change.text, encoding);
            } else {
                self.pending = None;
                self.marks.clear();
                self.text = change.text;
            }
        }
        self.stale = true;
        self.settle = false;
        self.cancel.cancel();
        true
    }

    fn edit(&mut self, range: LspRange, new: String, encoding: Encoding) {
        let index = LineIndex::new(&self.text);
        let start = index.offset(&self.text, range.start, encoding);
        let end = index.offset(&self.text, range.end, encoding).max(start);
        let removed = count_lines(&self.text[start..end]);
        let whole_lines = range.start.character == 0 && removed == 0 && new.ends_with('\n');
        self.move_marks(range.start, removed, count_lines(&new), whole_lines);
        self.text.replace_range(start..end, &new);
        if let Some(pending) = &mut self.pending {
            if pending.len() < MAX_PENDING {
                pending.push((start..end, new));
            } else {
                self.pending = None;
            }
        }
    }

    /// A mark vanishes when its line is edited, and moves with what happens above it.
    /// Whole lines put in above a line leave that line alone.
    fn move_marks(&mut self, start: Position, removed: u32, added: u32, only_above: bool) {
        let last = start.line.saturating_add(removed);
        self.marks.retain_mut(|mark| {
            if mark.line < start.line {
                return true;
            }
            if mark.line > last || (only_above && mark.line == start.line) {
                mark.line = mark.line.saturating_sub(removed).saturating_add(added);
                return true;
            }
            false
        });
    }

    /// What a worker needs for the next scan; `None` when nothing changed.
    pub(crate) fn take_work(&mut self) -> Option<Work> {
        if !self.stale {
            return None;
        }
        self.stale = false;
        self.cancel = CancelFlag::new();
        let edits = self.pending.replace(Vec::new());
        let base = self.tree.take();
        let (base, edits) = match (base, edits) {
            (Some(base), Some(edits)) => (Some(base), edits),
            _ => (None, Vec::new()),
        };
        // A tree of a text that has to be edited needs no copy of the result.
        let text = base.is_none().then(|| self.text.clone());
        Some(Work {
            kind: self.kind,
            version: self.version,
            base,
            edits,
            text,
            settle: std::mem::take(&mut self.settle),
            cancel: self.cancel.clone(),
        })
    }

    /// Has the text scanned once more with the tree of a new text, unless it has changed since.
    pub(crate) fn settle(&mut self, version: i32) -> bool {
        let same = version == self.version && !self.stale;
        (self.stale, self.settle) = (self.stale || same, same);
        same
    }

    /// Has the whole text scanned again, because what holds for it changed.
    pub(crate) fn rescan(&mut self) {
        self.pending = None;
        self.found = None;
        self.stale = true;
        self.cancel.cancel();
    }

    /// The newest findings, if they are of the text as it stands.
    pub(crate) fn current(&self) -> Option<&Arc<Found>> {
        self.found
            .as_ref()
            .filter(|found| found.version == self.version)
    }
}

/// A scan that is to be done.
pub(crate) struct Work {
    pub(crate) kind: Kind,
    pub(crate) version: i32,
    pub(crate) base: Option<Document>,
    pub(crate) edits: Vec<(Range<usize>, String)>,
    pub(crate) text: Option<String>,
    pub(crate) settle: bool,
    pub(crate) cancel: CancelFlag,
}

fn count_lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Mark;

    fn edit(from: (u32, u32), to: (u32, u32), text: &str) -> TextDocumentContentChangeEvent {
        let at = |(line, character)| Position { line, character };
        TextDocumentContentChangeEvent {
            range: Some(LspRange {
                start: at(from),
                end: at(to),
            }),
            range_length: None,
            text: text.to_owned(),
        }
    }

    fn open(text: &str) -> Open {
        Open::new(Kind::Python, 1, text.to_owned())
    }

    #[test]
    fn an_older_version_changes_nothing() {
        let mut file = open("a");
        assert!(file.change(3, vec![edit((0, 1), (0, 1), "b")], Encoding::Utf16));
        assert!(!file.change(2, vec![edit((0, 0), (0, 2), "")], Encoding::Utf16));
        assert_eq!(file.text, "ab");
    }

    #[test]
    fn a_mark_vanishes_with_its_line_and_moves_with_those_above() {
        let mut file = open("a\nb\nc\nd\n");
        file.marks = [1, 3].map(|line| Mark::new(line, "m".to_owned())).to_vec();
        file.change(2, vec![edit((0, 0), (0, 0), "new\n")], Encoding::Utf16);
        let lines = |file: &Open| file.marks.iter().map(|mark| mark.line).collect::<Vec<_>>();
        assert_eq!(lines(&file), [2, 4]);
        file.change(3, vec![edit((2, 1), (2, 1), "x")], Encoding::Utf16);
        assert_eq!(lines(&file), [4], "the edited line's mark is gone");
        file.change(4, vec![edit((0, 0), (1, 0), "")], Encoding::Utf16);
        assert_eq!(lines(&file), [3]);
        file.change(5, vec![edit((3, 0), (3, 0), "up\n")], Encoding::Utf16);
        assert_eq!(lines(&file), [4], "a line put in above");
    }

    #[test]
    fn a_change_stops_the_scan_under_way() {
        let mut file = open("a");
        let work = file.take_work().unwrap();
        assert!(!work.cancel.is_cancelled());
        file.change(2, vec![edit((0, 0), (0, 0), "x")], Encoding::Utf16);
        assert!(work.cancel.is_cancelled());
    }

    #[test]
    fn a_text_is_settled_only_as_long_as_nobody_types() {
        let mut file = open("f(");
        file.take_work().unwrap();
        assert!(file.settle(1) && file.take_work().unwrap().settle);
        assert!(file.take_work().is_none());
        file.change(2, vec![edit((0, 2), (0, 2), ")")], Encoding::Utf16);
        assert!(!file.settle(1), "another version");
        assert!(!file.settle(2), "it is to be scanned anyway");
        assert!(!file.take_work().unwrap().settle);
    }

    #[test]
    fn kinds_follow_the_language_and_the_name() {
        assert_eq!(Kind::of("python", "/x/a"), Some(Kind::Python));
        assert_eq!(
            Kind::of("yaml", "/x/.saferun.yaml"),
            Some(Kind::Policy(true))
        );
        assert_eq!(Kind::of("yaml", "/x/other.yaml"), None);
        assert_eq!(Kind::of("", "/x/a.md"), Some(Kind::Markdown));
    }
}
