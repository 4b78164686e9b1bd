//! The one place that knows a YAML library: text in, a tree with positions out, or one error with its position.
//! Anchors, aliases, tags and merge keys are refused: a policy has no use for them and bombs are made of them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::MergeKeyPolicy;
use serde_saphyr::{Error, Location, Spanned};

/// Largest text that is looked at. The largest preset takes 3 KiB.
pub const MAX_BYTES: usize = 64 * 1024;
/// Deepest nesting that the language can need is 5.
pub const MAX_DEPTH: usize = 12;

/// A place in the text: bytes for the caret, line and column (in characters, from 1) for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A text with its place: a key, or a plain value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// What stands at a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing, `~` or `null`.
    Empty,
    /// One value, as it is written; `quoted` tells `"64"` from `64`.
    Scalar { text: String, quoted: bool },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the text, keys distinct.
    Map(Vec<(Word, Node)>),
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) shape: Shape,
    pub(crate) span: Span,
}

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) span: Span,
}

/// Reads one document. Time and memory are bounded by [`MAX_BYTES`] and [`MAX_DEPTH`], whatever the text holds.
pub(crate) fn read(text: &str) -> Result<Node, Broken> {
    if text.len() > MAX_BYTES {
        return Err(Broken {
            code: "too-large",
            message: format!(
                "the file has {} bytes, a policy at most {MAX_BYTES}",
                text.len()
            ),
            help: Some("split it into layers, or match with wildcards".to_owned()),
            span: Span {
                line: 1,
                column: 1,
                start: 0,
                end: 0,
            },
        });
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_aliases: 0,
            max_anchors: 0,
            max_documents: 1,
            max_events: 20_000,
            max_nodes: 10_000,
        },
        merge_keys: MergeKeyPolicy::Error,
        with_snippet: false,
        strict_booleans: true,
        reject_unsupported_tags: true,
    };
    serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options)
        .map(|raw| node(text, raw))
        .map_err(|error| broken(text, &error))
}

/// The tree as the library hands it over, before positions are resolved.
enum Raw {
    Empty,
    Scalar(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Empty)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

fn node(text: &str, raw: Spanned<Raw>) -> Node {
    let span = span(text, raw.referenced);
    let shape = match raw.value {
        Raw::Empty => Shape::Empty,
        Raw::Scalar(value) => scalar(text, span, value),
        Raw::List(items) => Shape::List(items.into_iter().map(|item| node(text, item)).collect()),
        Raw::Map(entries) => Shape::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let word = Word {
                        span: self::span(text, key.referenced),
                        text: key.value,
                    };
                    (word, node(text, value))
                })
                .collect(),
        ),
    };
    Node { shape, span }
}

/// Plain values are taken as written (`1.50` stays `1.50`): the library's idea of a number is not ours.
fn scalar(text: &str, span: Span, value: String) -> Shape {
    let written = text.get(span.start..span.end).unwrap_or_default();
    let before = text.get(..span.start).unwrap_or_default();
    let quoted = written.starts_with(['"', '\''])
        || before
            .trim_end_matches([' ', '\n', '\r'])
            .ends_with(['|', '>', '-', '+'])
            && before.trim_end_matches(' ').ends_with('\n');
    let plain = !quoted && !written.is_empty() && !written.contains(['\n', '\r']);
    Shape::Scalar {
        text: if plain { written.to_owned() } else { value },
        quoted,
    }
}

fn span(text: &str, location: Location) -> Span {
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let (line, column) = (
        number(location.line()).max(1),
        number(location.column()).max(1),
    );
    let found = location.span();
    let (start, len) = match (found.byte_offset(), found.byte_len()) {
        (Some(start), Some(len)) => (
            usize::try_from(start).unwrap_or(0),
            usize::try_from(len).unwrap_or(0),
        ),
        _ => (offset(text, line, column), 1),
    };
    Span {
        line,
        column,
        start,
        end: start.saturating_add(len).min(text.len()),
    }
}

/// Byte offset of a line and column, for errors of the library that carry no byte position.
fn offset(text: &str, line: u32, column: u32) -> usize {
    let skip = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(skip).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let characters = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    start
        + rest
            .chars()
            .take(characters)
            .map(char::len_utf8)
            .sum::<usize>()
}

fn broken(text: &str, error: &Error) -> Broken {
    let span = error.location().map_or(
        Span {
            line: 1,
            column: 1,
            start: 0,
            end: 0,
        },
        |location| span(text, location),
    );
    let plain = error.without_snippet().to_string();
    let plain = plain.split(" at line ").next().unwrap_or(&plain).to_owned();
    let (code, message, help) = if let Some(rest) = plain.strip_prefix("duplicate mapping key: ") {
        let key = rest.split(',').next().unwrap_or(rest);
        (
            "duplicate-key",
            format!("the key `{key}` stands here a second time"),
            Some("join both into one: the second would silently win".to_owned()),
        )
    } else if plain.contains("Anchors") || plain.contains("Alias") || plain.contains("alias") {
        let help = "write the value out: anchors and aliases are not part of the language";
        (
            "anchor",
            "a policy has no anchors (`&name`) and no aliases (`*name`)".to_owned(),
            Some(help.to_owned()),
        )
    } else if plain.contains("merge key") {
        let help = "write the keys out: `<<` is not part of the language";
        (
            "merge-key",
            "a policy has no merge keys (`<<`)".to_owned(),
            Some(help.to_owned()),
        )
    } else if plain.contains("Documents") {
        let help = "remove the `---`: one file holds one policy";
        (
            "second-document",
            "a second document begins here".to_owned(),
            Some(help.to_owned()),
        )
    } else if plain.contains("Depth") || plain.contains("recursion") || plain.contains("nesting") {
        (
            "too-deep",
            format!("nested deeper than {MAX_DEPTH} levels"),
            None,
        )
    } else if plain.contains("budget breached") {
        (
            "too-large",
            "more values than a policy may hold".to_owned(),
            None,
        )
    } else if plain.starts_with("unsupported tag") {
        let help = "remove it: tags are not part of the language";
        ("tag", plain, Some(help.to_owned()))
    } else if plain.starts_with("expected string scalar") {
        ("bad-key", "a key has to be a word".to_owned(), None)
    } else {
        ("yaml", plain, None)
    };
    Broken {
        code,
        message,
        help,
        span,
    }
}
