//! The parts of a change to a text file, as the unified diff shows them, and the text with some of them.

use std::collections::BTreeSet;

use saferun_protocol::{Change, ChangeKind};

use crate::run::{Lines, Originals, texts};

/// A text before and after.
#[derive(Debug)]
pub(super) struct Hunks {
    lines: Lines,
    /// Whether the file is on both sides; else it is one hunk.
    both: bool,
}

impl Hunks {
    /// The hunks of a change; `None` for what is no text, did not come back, or is too much to be compared.
    pub(super) fn of(change: &Change, originals: &Originals) -> Option<Self> {
        let (before, after) = texts(change, originals)?;
        let lines = Lines::compare(&before, &after, None)?;
        let both = change.kind == ChangeKind::Modified;
        Some(Self { lines, both })
    }

    /// How many there are: one for a file that is new or gone.
    pub(super) fn count(&self) -> usize {
        if self.both {
            self.lines.hunks().len()
        } else {
            1
        }
    }

    /// A hunk as `--diff` shows it, made harmless; from 1.
    pub(super) fn shown(&self, number: usize) -> String {
        let hunks = (1..).zip(self.lines.hunks());
        let wanted = hunks.filter(|(at, _)| !self.both || *at == number);
        wanted.map(|(_, hunk)| self.lines.shown(&hunk)).collect()
    }

    /// The text with the chosen hunks only.
    pub(super) fn applied(&self, chosen: &BTreeSet<usize>) -> String {
        self.lines.applied(chosen)
    }
}
