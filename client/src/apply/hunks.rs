//! The parts of a change to a text file, as the unified diff shows them, and the text with some of them. Pure.

use std::collections::BTreeSet;

use saferun_protocol::{Change, ChangeKind};
use similar::{DiffOp, TextDiff};

use crate::run::{CONTEXT, Originals, harmless, texts};

/// A text before and after.
#[derive(Debug)]
pub(super) struct Hunks {
    before: String,
    after: String,
    /// Whether the file is on both sides; else it is one hunk.
    both: bool,
}

impl Hunks {
    /// The hunks of a change; `None` for what is no text, or did not come back.
    pub(super) fn of(change: &Change, originals: &Originals) -> Option<Self> {
        let (before, after) = texts(change, originals)?;
        let both = change.kind == ChangeKind::Modified;
        Some(Self {
            before,
            after,
            both,
        })
    }

    fn diff(&self) -> TextDiff<'_, '_, '_, str> {
        TextDiff::from_lines(self.before.as_str(), self.after.as_str())
    }

    /// How many there are: one for a file that is new or gone.
    pub(super) fn count(&self) -> usize {
        if self.both {
            self.diff().grouped_ops(CONTEXT).len()
        } else {
            1
        }
    }

    /// A hunk as `--diff` shows it, made harmless; from 1.
    pub(super) fn shown(&self, number: usize) -> String {
        let diff = self.diff();
        let mut unified = diff.unified_diff();
        let hunks = unified.context_radius(CONTEXT).iter_hunks();
        let wanted = |(at, _): &(usize, _)| !self.both || at + 1 == number;
        let lines = hunks.enumerate().filter(wanted).map(|(_, hunk)| hunk);
        let mut out = String::new();
        for hunk in lines {
            for line in hunk.to_string().lines() {
                out.push_str(&harmless(line));
                out.push('\n');
            }
        }
        out
    }

    /// The text with the chosen hunks only.
    pub(super) fn applied(&self, chosen: &BTreeSet<usize>) -> String {
        let diff = self.diff();
        let groups = diff.grouped_ops(CONTEXT);
        let wanted: Vec<DiffOp> = groups
            .iter()
            .enumerate()
            .filter(|(at, _)| chosen.contains(&(at + 1)))
            .flat_map(|(_, ops)| ops.iter().copied())
            .filter(|op| !matches!(op, DiffOp::Equal { .. }))
            .collect();
        let mut out = String::new();
        for op in diff.ops() {
            let lines = if wanted.contains(op) {
                &diff.new_slices()[op.new_range()]
            } else {
                &diff.old_slices()[op.old_range()]
            };
            out.extend(lines.iter().copied());
        }
        out
    }
}
