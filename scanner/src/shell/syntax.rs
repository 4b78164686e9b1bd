//! Reads the structure of shell text from tree-sitter-bash: commands, pipelines, redirections, assignments, functions.
//! Iterative; it judges nothing and expands nothing.

use std::{
    borrow::Cow,
    ops::{ControlFlow, Range},
};

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree, TreeCursor};

/// Progress calls (one for each 100 steps of the parser) after which a parse is given up, besides one for each 8 bytes:
/// long pipelines and unclosed braces make the grammar's ambiguity grow without bound.
const MIN_PROGRESS: usize = 200;
/// Most events that one text may have.
const MAX_EVENTS: usize = 20_000;

/// A command by its places in the text.
#[derive(Debug, Default)]
pub(super) struct RawCommand {
    /// The command itself; empty for a redirection that stands alone.
    pub range: Range<usize>,
    /// Redirections that stand outside of it.
    pub redirects: Vec<Range<usize>>,
    /// Bodies of its here-documents.
    pub heredocs: Vec<Range<usize>>,
    depth: u32,
}

/// What happens, in source order.
#[derive(Debug)]
pub(super) enum Event {
    /// `NAME=value`, `NAME+=value`.
    Assign {
        name: String,
        value: Range<usize>,
        append: bool,
    },
    /// A command runs.
    Command(usize),
    /// `for NAME in values`.
    Loop { name: String, values: Range<usize> },
    /// A function is defined.
    Function { name: String, body: Range<usize> },
    /// Commands whose output flows from one into the next.
    Pipeline(Vec<usize>),
}

/// The structure of a text.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Events in source order.
    pub events: Vec<Event>,
    /// The commands that they name.
    pub commands: Vec<RawCommand>,
    /// Whether the parser was not content with the text.
    pub broken: bool,
    /// Whether the text had more in it than is looked at.
    pub cut: bool,
}

/// Constructs whose number the grammar answers with quadratic time and memory, and how many of each are let through.
const COSTLY: [&str; 4] = ["|", "=(", "<<", "(("];
const MAX_COSTLY: usize = 300;

/// The text with something as long and as meaningless for each character above U+00FF. The grammar's own part gives
/// characters to `isdigit`, which is undefined above 255 (C11 7.4) and reads outside of the C library's table.
fn masked(text: &str) -> Cow<'_, str> {
    const LAST: char = '\u{ff}';
    if text.chars().all(|c| c <= LAST) {
        return Cow::Borrowed(text);
    }
    let mask = |c: char| match c.len_utf8() {
        2 => "\u{b7}",
        3 => "\u{b7}_",
        _ => "\u{b7}\u{b7}",
    };
    let mut masked = String::with_capacity(text.len());
    for c in text.chars() {
        if c <= LAST {
            masked.push(c);
        } else {
            masked.push_str(mask(c));
        }
    }
    Cow::Owned(masked)
}

/// Parses a text. `None` if the parser gave up.
fn parse(text: &str) -> Option<Tree> {
    if COSTLY
        .iter()
        .any(|mark| text.matches(mark).nth(MAX_COSTLY).is_some())
    {
        return None;
    }
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_bash::LANGUAGE.into())
        .ok()?;
    let most = MIN_PROGRESS + text.len() / 8;
    let mut calls = 0;
    let mut progress = |_: &ParseState| {
        calls += 1;
        if calls > most {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let masked = masked(text);
    let bytes = masked.as_bytes();
    parser.parse_with_options(
        &mut |at, _| bytes.get(at..).unwrap_or_default(),
        None,
        Some(ParseOptions::new().progress_callback(&mut progress)),
    )
}

/// The structure of a text; broken and empty when it could not be parsed.
pub(super) fn outline(text: &str) -> Outline {
    let Some(tree) = parse(text) else {
        return Outline {
            broken: true,
            ..Outline::default()
        };
    };
    let mut walk = Walk {
        text,
        outline: Outline::default(),
        frames: Vec::new(),
        depth: 0,
    };
    walk.outline.broken = tree.root_node().has_error();
    let mut cursor = tree.walk();
    loop {
        if walk.outline.events.len() > MAX_EVENTS {
            walk.outline.cut = true;
            break;
        }
        walk.enter(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        walk.leave(cursor.node());
        if !next(&mut cursor, &mut walk) {
            break;
        }
    }
    walk.outline
}

fn next(cursor: &mut TreeCursor<'_>, walk: &mut Walk<'_>) -> bool {
    loop {
        if cursor.goto_next_sibling() {
            return true;
        }
        if !cursor.goto_parent() {
            return false;
        }
        walk.leave(cursor.node());
    }
}

/// The kinds that matter here, as text that outlives the tree.
fn known(kind: &str) -> &'static str {
    [
        "command",
        "command_substitution",
        "declaration_command",
        "file_redirect",
        "for_statement",
        "function_definition",
        "heredoc_body",
        "heredoc_redirect",
        "herestring_redirect",
        "pipeline",
        "process_substitution",
        "redirected_statement",
        "unset_command",
        "variable_assignment",
    ]
    .into_iter()
    .find(|name| *name == kind)
    .unwrap_or_default()
}

struct Frame {
    kind: &'static str,
    first: usize,
    /// Whether a here-document in it goes on with a pipeline.
    piped: bool,
}

struct Walk<'a> {
    text: &'a str,
    outline: Outline,
    frames: Vec<Frame>,
    depth: u32,
}

impl Walk<'_> {
    fn slice(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    fn enter(&mut self, node: Node<'_>) {
        let kind = known(node.kind());
        let parent = self.frames.last().map_or("", |frame| frame.kind);
        match kind {
            "command_substitution" | "process_substitution" => self.depth += 1,
            "command" | "unset_command" | "declaration_command" => self.command(node),
            "file_redirect" | "heredoc_redirect" | "herestring_redirect" if parent != "command" => {
                self.redirect(node, kind);
            }
            "heredoc_body" => {
                if let Some(last) = self.heredoc_owner() {
                    self.outline.commands[last].heredocs.push(node.byte_range());
                }
            }
            "variable_assignment" => self.assignment(node),
            "for_statement" => self.loop_over(node),
            "function_definition" => {
                if let Some(name) = node.child_by_field_name("name") {
                    let name = self.slice(name).to_owned();
                    self.outline.events.push(Event::Function {
                        name,
                        body: node.byte_range(),
                    });
                }
            }
            "pipeline" if parent == "heredoc_redirect" => {
                let owner = self
                    .frames
                    .iter_mut()
                    .rev()
                    .find(|f| f.kind == "redirected_statement");
                if let Some(frame) = owner {
                    frame.piped = true;
                }
            }
            _ => {}
        }
        if kind == "heredoc_redirect" {
            // remember the owner before a pipeline behind the `<<X` adds commands
            let owner = self.last_command();
            self.frames.push(Frame {
                kind,
                first: owner.unwrap_or(usize::MAX),
                piped: false,
            });
            return;
        }
        let first = self.outline.commands.len();
        self.frames.push(Frame {
            kind,
            first,
            piped: false,
        });
    }

    fn leave(&mut self, node: Node<'_>) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        match node.kind() {
            "command_substitution" | "process_substitution" => {
                self.depth = self.depth.saturating_sub(1);
            }
            "pipeline" => self.pipeline(frame.first),
            "redirected_statement" if frame.piped => self.pipeline(frame.first),
            _ => {}
        }
    }

    fn pipeline(&mut self, first: usize) {
        let members: Vec<usize> = (first..self.outline.commands.len())
            .filter(|&index| self.outline.commands[index].depth == self.depth)
            .take(512)
            .collect();
        if members.len() > 1 {
            self.outline.events.push(Event::Pipeline(members));
        }
    }

    fn command(&mut self, node: Node<'_>) {
        self.outline
            .events
            .push(Event::Command(self.outline.commands.len()));
        self.outline.commands.push(RawCommand {
            range: node.byte_range(),
            depth: self.depth,
            ..RawCommand::default()
        });
    }

    fn last_command(&self) -> Option<usize> {
        let first = self
            .frames
            .iter()
            .rev()
            .find(|f| f.kind == "redirected_statement")
            .map_or(0, |f| f.first);
        (first..self.outline.commands.len())
            .rev()
            .find(|&index| self.outline.commands[index].depth == self.depth)
    }

    fn heredoc_owner(&self) -> Option<usize> {
        self.frames
            .iter()
            .rev()
            .find(|frame| frame.kind == "heredoc_redirect")
            .map(|frame| frame.first)
            .filter(|&index| index < self.outline.commands.len())
            .or_else(|| self.last_command())
    }

    fn redirect(&mut self, node: Node<'_>, kind: &str) {
        let owner = if kind == "heredoc_redirect" {
            self.last_command()
        } else {
            self.heredoc_owner()
        };
        let index = owner.unwrap_or_else(|| {
            let start = node.start_byte();
            self.outline
                .events
                .push(Event::Command(self.outline.commands.len()));
            self.outline.commands.push(RawCommand {
                range: start..start,
                depth: self.depth,
                ..RawCommand::default()
            });
            self.outline.commands.len() - 1
        });
        if kind != "heredoc_redirect" {
            self.outline.commands[index]
                .redirects
                .push(node.byte_range());
        }
    }

    fn assignment(&mut self, node: Node<'_>) {
        let Some(name) = node.child_by_field_name("name") else {
            return;
        };
        let value = node
            .child_by_field_name("value")
            .map_or(node.end_byte()..node.end_byte(), |v| v.byte_range());
        let between = self
            .text
            .get(name.end_byte()..value.start)
            .unwrap_or_default();
        let append = between.contains("+=");
        let name = self.slice(name).to_owned();
        self.outline.events.push(Event::Assign {
            name,
            value,
            append,
        });
    }

    fn loop_over(&mut self, node: Node<'_>) {
        let (Some(name), Some(value)) = (
            node.child_by_field_name("variable"),
            node.child_by_field_name("value"),
        ) else {
            return;
        };
        let end = node
            .child_by_field_name("body")
            .map_or(node.end_byte(), |body| body.start_byte());
        let name = self.slice(name).to_owned();
        self.outline.events.push(Event::Loop {
            name,
            values: value.start_byte()..end,
        });
    }
}
