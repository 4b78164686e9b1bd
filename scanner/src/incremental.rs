//! A text that is edited: the tree is kept, so that a keystroke parses only what it touched. Knows neither lines nor
//! editors: edits are ranges of bytes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tree_sitter::Tree;

use crate::scan::{scan_tree, scan_tree_unless};
use crate::syntax::parse::edit_tree;
use crate::syntax::{Parsed, parse};
use crate::{Options, Report};

/// Tells a scan on another thread to stop. Clones are one flag; once it is set it stays set.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// A flag that nobody has set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the scan that holds this flag to stop; it does within a few microseconds.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether someone asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A Python text with its tree, scanned after each edit. A clone is a snapshot for another thread: it copies the
/// text and shares the tree.
#[derive(Debug, Clone)]
pub struct Document {
    text: String,
    tree: Option<Tree>,
    options: Options,
    /// Whether the tree depends on the edits that led to its text, because the text has errors.
    rough: bool,
}

/// An edit does not fit the text that the document holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the edit of bytes {start}..{end} does not fit the text of {length} bytes: send the whole text again"
)]
pub struct EditOutside {
    /// First byte of the edit.
    pub start: usize,
    /// Byte after the edit.
    pub end: usize,
    /// Length of the text.
    pub length: usize,
}

impl Document {
    /// Takes a text and parses it.
    #[must_use]
    pub fn new(text: impl Into<String>, options: Options) -> Self {
        let text = text.into();
        let tree = parsed(&text, None);
        Self {
            text,
            tree,
            options,
            rough: false,
        }
    }

    /// The text as it stands after all edits.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Replaces a range of bytes of the text and parses what changed. Scans nothing, so that several edits in a row
    /// cost one scan. An edit that does not fit, or that would cut a character, changes nothing.
    ///
    /// # Errors
    /// [`EditOutside`] when the range is no part of the text.
    pub fn apply_edit(&mut self, range: Range<usize>, new_text: &str) -> Result<(), EditOutside> {
        self.apply_edit_roughly(range, new_text)?;
        self.settle();
        Ok(())
    }

    /// The same, but leaves a text with errors with the tree of the edits, which is there in a fraction of the time:
    /// what is found around an error may differ from a fresh scan until [`settle`](Self::settle) is called.
    ///
    /// # Errors
    /// [`EditOutside`] when the range is no part of the text.
    pub fn apply_edit_roughly(
        &mut self,
        range: Range<usize>,
        new_text: &str,
    ) -> Result<(), EditOutside> {
        if self.text.get(range.clone()).is_none() {
            return Err(EditOutside {
                start: range.start,
                end: range.end,
                length: self.text.len(),
            });
        }
        let new_end = range.start + new_text.len();
        let old_end = range.end;
        let points = (point(&self.text, range.start), point(&self.text, range.end));
        self.text.replace_range(range.clone(), new_text);
        if let Some(tree) = &mut self.tree {
            edit_tree(
                tree,
                [range.start, old_end, new_end],
                [points.0, points.1, point(&self.text, new_end)],
            );
        }
        self.tree = parsed(&self.text, self.tree.as_ref());
        // Recovery from an error depends on what was there before the edit.
        let tree = self.tree.as_ref();
        self.rough = tree.is_some_and(|tree| tree.root_node().has_error());
        Ok(())
    }

    /// Whether a report may differ from a fresh scan of this text.
    #[must_use]
    pub fn is_rough(&self) -> bool {
        self.rough
    }

    /// Parses a text with errors as if it were new: from here on reports depend on the text alone.
    pub fn settle(&mut self) {
        if std::mem::take(&mut self.rough) {
            self.tree = parsed(&self.text, None);
        }
    }

    /// Replaces the whole text.
    pub fn replace(&mut self, text: impl Into<String>) {
        self.text = text.into();
        self.tree = parsed(&self.text, None);
        self.rough = false;
    }

    /// Scans the text as it stands; the same as a fresh [`scan`](crate::scan) of it.
    #[must_use]
    pub fn report(&self) -> Report {
        scan_tree(&self.text, self.tree.as_ref(), &self.options)
    }

    /// Scans the text as it stands; `None` when the flag was set before the report was complete.
    #[must_use]
    pub fn report_unless(&self, cancelled: &CancelFlag) -> Option<Report> {
        scan_tree_unless(
            &self.text,
            self.tree.as_ref(),
            &self.options,
            Some(cancelled),
        )
    }
}

fn parsed(text: &str, old: Option<&Tree>) -> Option<Tree> {
    match parse(text, old) {
        Parsed::Tree(tree) => Some(tree),
        Parsed::Stopped => None,
    }
}

/// Row and column of an offset as tree-sitter counts them: both from 0, the column in bytes.
fn point(text: &str, at: usize) -> tree_sitter::Point {
    let before = &text.as_bytes()[..at.min(text.len())];
    let mut row = 0;
    let mut line_start = 0;
    for newline in memchr::memchr_iter(b'\n', before) {
        row += 1;
        line_start = newline + 1;
    }
    tree_sitter::Point {
        row,
        column: before.len() - line_start,
    }
}
