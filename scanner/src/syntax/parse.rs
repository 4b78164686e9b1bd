//! Runs tree-sitter within a bound that depends on the text's length alone, so that a hostile text cannot make
//! error recovery run on, and two scans of one text always agree.

use std::cell::RefCell;
use std::ops::ControlFlow;

use tree_sitter::{InputEdit, Language, ParseOptions, ParseState, Parser, Point, Tree};

use crate::CancelFlag;

/// Most calls back from the parser for one text: some 12 MB of usual code, or 2 MB of a list of one-digit numbers, and
/// a few seconds of work whatever the text is. Past it the text counts as not analysed, which is a finding at HIGH.
const MAX_CALLS: usize = 60_000;

/// A tree, or the word that the parser was stopped.
pub(crate) enum Parsed {
    Tree(Tree),
    /// Parsing this text takes too long.
    Stopped,
}

/// Parses a text, reusing the old tree where it was not edited.
pub(crate) fn parse(text: &str, old: Option<&Tree>) -> Parsed {
    parse_until(text, old, |_| false)
}

/// Parses a text as if it were new; stopped also when the flag is set.
pub(crate) fn parse_unless(text: &str, cancelled: &CancelFlag) -> Parsed {
    parse_until(text, None, |_| cancelled.is_cancelled())
}

/// Parses a text as long as it has no error: what a parser makes of one can cost more than all the rest.
pub(crate) fn parse_sound(text: &str, old: &Tree) -> Option<Tree> {
    match parse_until(text, Some(old), ParseState::has_error) {
        Parsed::Tree(tree) if !tree.root_node().has_error() => Some(tree),
        _ => None,
    }
}

fn parse_until(text: &str, old: Option<&Tree>, stop: impl Fn(&ParseState) -> bool) -> Parsed {
    // Offsets are 32-bit in the tree and in the program.
    if u32::try_from(text.len()).is_err() {
        return Parsed::Stopped;
    }
    PARSER.with_borrow_mut(|parser| match parser {
        Some(parser) => run(parser, text, old, stop),
        None => Parsed::Stopped,
    })
}

thread_local! {
    /// Parsers keep their stacks from one text to the next.
    static PARSER: RefCell<Option<Parser>> = RefCell::new(new_parser());
}

fn new_parser() -> Option<Parser> {
    let mut parser = Parser::new();
    let language = Language::new(tree_sitter_python::LANGUAGE);
    parser.set_language(&language).ok()?;
    Some(parser)
}

fn run(
    parser: &mut Parser,
    text: &str,
    old: Option<&Tree>,
    stop: impl Fn(&ParseState) -> bool,
) -> Parsed {
    // The callback comes about every hundred parser operations: 5 for each KB of usual code, 33 for each KB of a list
    // of one-digit numbers.
    let mut calls_left = (20_000 + text.len() / 2).min(MAX_CALLS);
    let mut watch = |state: &ParseState| {
        calls_left = calls_left.saturating_sub(1);
        if calls_left == 0 || stop(state) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let bytes = text.as_bytes();
    let mut read = |at: usize, _: Point| bytes.get(at..).unwrap_or_default();
    let options = ParseOptions::new().progress_callback(&mut watch);
    if let Some(tree) = parser.parse_with_options(&mut read, old, Some(options)) {
        return Parsed::Tree(tree);
    }
    // A parser that was stopped would go on with the old text.
    parser.reset();
    Parsed::Stopped
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
