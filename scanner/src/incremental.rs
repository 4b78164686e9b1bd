//! A text that is edited: the tree is kept, so that a keystroke parses only what it touched. Knows neither lines nor
//! editors: edits are ranges of bytes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tree_sitter::Tree;

use crate::apart;
use crate::scan::scan_tree_unless;
use crate::syntax::parse::{edit_tree, parse_sound, parse_unless};
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
    /// The last tree without an error, as if nothing stood in the broken lines.
    sound: Option<Tree>,
    /// Lines that were edited since there was a tree without an error, in bytes.
    broken: Option<Range<usize>>,
    /// Whether the report is made of the sound tree and of the broken lines apart.
    apart: bool,
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
        let mut document = Self {
            text: String::new(),
            tree: None,
            options,
            rough: false,
            sound: None,
            broken: None,
            apart: false,
        };
        document.replace(text);
        document
    }

    /// Has reports made this way from now on. Costs nothing: the trees do not depend on it.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
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
        let points = [points.0, points.1, point(&self.text, new_end)];
        for tree in [&mut self.tree, &mut self.sound].into_iter().flatten() {
            edit_tree(tree, [range.start, old_end, new_end], points);
        }
        let broken = match self.broken.take() {
            Some(before) => around(&before, &range, new_end),
            None => range.start..new_end,
        };
        self.apart = false;
        if self.parse_around(&broken) {
            return Ok(());
        }
        self.take_tree(parsed(&self.text, self.tree.as_ref()));
        // Recovery from an error depends on what was there before the edit.
        self.rough = self.tree.as_ref().is_some_and(has_error);
        Ok(())
    }

    /// Parses the text with the last sound tree, as it stands or, if it has an error, without the broken lines. False
    /// where that does not do.
    fn parse_around(&mut self, broken: &Range<usize>) -> bool {
        let Some(mut base) = self.sound.take() else {
            return false;
        };
        let Some(lines) = apart::whole_lines(&self.text, broken) else {
            return false;
        };
        // What the tree has in these lines may not be what stands there.
        let (from, to) = (point(&self.text, lines.start), point(&self.text, lines.end));
        edit_tree(
            &mut base,
            [lines.start, lines.end, lines.end],
            [from, to, to],
        );
        if let Some(tree) = parse_sound(&self.text, &base) {
            self.take_tree(Some(tree));
            self.rough = false;
            return true;
        }
        let rest = apart::blotted(&self.text, &lines).and_then(|text| parse_sound(&text, &base));
        self.apart = rest.is_some();
        self.rough |= self.apart;
        self.sound = rest.or(Some(base));
        self.broken = Some(lines);
        self.apart
    }

    /// Takes a tree of the text as it stands.
    fn take_tree(&mut self, tree: Option<Tree>) {
        self.tree = tree;
        if let Some(tree) = self.tree.as_ref().filter(|tree| !has_error(tree)) {
            self.sound = Some(tree.clone());
            self.broken = None;
        }
        self.apart = false;
    }

    /// Whether a report may differ from a fresh scan of this text.
    #[must_use]
    pub fn is_rough(&self) -> bool {
        self.rough
    }

    /// Parses a text with errors as if it were new: from here on reports depend on the text alone.
    pub fn settle(&mut self) {
        self.settle_unless(&CancelFlag::new());
    }

    /// The same; false, and nothing is changed, when the flag was set before the end.
    pub fn settle_unless(&mut self, cancelled: &CancelFlag) -> bool {
        if !self.rough {
            return true;
        }
        let tree = match parse_unless(&self.text, cancelled) {
            _ if cancelled.is_cancelled() => return false,
            Parsed::Tree(tree) => Some(tree),
            Parsed::Stopped => None,
        };
        self.take_tree(tree);
        self.rough = false;
        true
    }

    /// Replaces the whole text.
    pub fn replace(&mut self, text: impl Into<String>) {
        self.text = text.into();
        (self.sound, self.broken) = (None, None);
        self.take_tree(parsed(&self.text, None));
        self.rough = false;
    }

    /// Scans the text as it stands; the same as a fresh [`scan`](crate::scan) of it.
    #[must_use]
    pub fn report(&self) -> Report {
        // Without a flag nothing can cancel it.
        self.report_within(None).unwrap_or_default()
    }

    /// Scans the text as it stands; `None` when the flag was set before the report was complete.
    #[must_use]
    pub fn report_unless(&self, cancelled: &CancelFlag) -> Option<Report> {
        self.report_within(Some(cancelled))
    }

    fn report_within(&self, cancelled: Option<&CancelFlag>) -> Option<Report> {
        if let (true, Some(tree), Some(lines)) = (self.apart, &self.sound, &self.broken) {
            return apart::report(&self.text, lines, tree, &self.options, cancelled);
        }
        scan_tree_unless(&self.text, self.tree.as_ref(), &self.options, cancelled)
    }
}

/// Where a range is after an edit, with what the edit put in.
fn around(range: &Range<usize>, edit: &Range<usize>, new_end: usize) -> Range<usize> {
    let end = if range.end >= edit.end {
        range.end - edit.end + new_end
    } else {
        new_end
    };
    range.start.min(edit.start)..end.max(new_end)
}

fn has_error(tree: &Tree) -> bool {
    tree.root_node().has_error()
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
