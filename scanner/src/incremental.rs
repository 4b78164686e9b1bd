//! A text that is edited: the tree is kept, so that a keystroke parses only what it touched.

use std::ops::Range;

use tree_sitter::Tree;

use crate::scan::scan_tree;
use crate::syntax::parse::edit_tree;
use crate::syntax::{Parsed, parse};
use crate::{Options, Report};

/// Holds a text with its tree, and scans it after each edit.
pub struct Scanner {
    text: String,
    tree: Option<Tree>,
    options: Options,
}

/// An edit does not fit the text that the scanner holds.
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

impl Scanner {
    /// Takes a text and parses it.
    #[must_use]
    pub fn new(text: impl Into<String>, options: Options) -> Self {
        let text = text.into();
        let tree = match parse(&text, None) {
            Parsed::Tree(tree) => Some(tree),
            Parsed::Stopped => None,
        };
        Self {
            text,
            tree,
            options,
        }
    }

    /// The text as it stands after all edits.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Scans the text as it stands.
    #[must_use]
    pub fn report(&self) -> Report {
        scan_tree(&self.text, self.tree.as_ref(), &self.options)
    }

    /// Replaces a range of bytes and scans the result.
    pub fn edit(&mut self, range: Range<usize>, new_text: &str) -> Result<Report, EditOutside> {
        self.apply(range, new_text)?;
        Ok(self.report())
    }

    /// Replaces a range of bytes without scanning, for several edits in a row.
    pub fn apply(&mut self, range: Range<usize>, new_text: &str) -> Result<(), EditOutside> {
        if self.text.get(range.clone()).is_none() {
            return Err(EditOutside {
                start: range.start,
                end: range.end,
                length: self.text.len(),
            });
        }
        let mut after = String::with_capacity(self.text.len() + new_text.len());
        after.push_str(&self.text[..range.start]);
        after.push_str(new_text);
        after.push_str(&self.text[range.end..]);
        if let Some(tree) = &mut self.tree {
            let edit = [range.start, range.end, range.start + new_text.len()];
            edit_tree(tree, &self.text, &after, edit);
        }
        self.tree = match parse(&after, self.tree.as_ref()) {
            Parsed::Tree(tree) => Some(tree),
            Parsed::Stopped => None,
        };
        self.text = after;
        Ok(())
    }
}
