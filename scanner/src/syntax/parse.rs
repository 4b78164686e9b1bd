//! Runs tree-sitter within a bound that depends on the text's length alone, so that a hostile text cannot make
//! error recovery run on, and two scans of one text always agree.

use std::ops::ControlFlow;

use tree_sitter::{InputEdit, Language, ParseOptions, Parser, Point, Tree};

/// A tree, or the word that the parser was stopped.
pub(crate) enum Parsed {
    Tree(Tree),
    /// Parsing this text takes too long.
    Stopped,
}

/// Parses a text, reusing the old tree where it was not edited.
pub(crate) fn parse(text: &str, old: Option<&Tree>) -> Parsed {
    // Offsets are 32-bit in the tree and in the program.
    if u32::try_from(text.len()).is_err() {
        return Parsed::Stopped;
    }
    let mut parser = Parser::new();
    let language = Language::new(tree_sitter_python::LANGUAGE);
    if parser.set_language(&language).is_err() {
        return Parsed::Stopped;
    }
    // The callback comes about every hundred parser operations; a sound text needs far less than one call a byte.
    let mut calls_left = 20_000 + text.len() / 2;
    let mut watch = |_: &tree_sitter::ParseState| {
        calls_left = calls_left.saturating_sub(1);
        if calls_left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let bytes = text.as_bytes();
    let mut read = |at: usize, _: Point| bytes.get(at..).unwrap_or_default();
    let options = ParseOptions::new().progress_callback(&mut watch);
    match parser.parse_with_options(&mut read, old, Some(options)) {
        Some(tree) => Parsed::Tree(tree),
        None => Parsed::Stopped,
    }
}

/// Tells the old tree of an edit: bytes `start..old_end` became `start..new_end`, with the points of the three.
pub(crate) fn edit_tree(tree: &mut Tree, bytes: [usize; 3], points: [Point; 3]) {
    tree.edit(&InputEdit {
        start_byte: bytes[0],
        old_end_byte: bytes[1],
        new_end_byte: bytes[2],
        start_position: points[0],
        old_end_position: points[1],
        new_end_position: points[2],
    });
}
