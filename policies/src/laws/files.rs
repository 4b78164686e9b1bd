//! Whole policy files for the laws: several settings at once, paths, sections of a language, rules of one's own.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{PATTERNS, setting_of_a_file};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::layer::Source;
use crate::load::{check, load};
use crate::origin::LayerKind;

/// Paths as code may open them.
pub(super) const PATHS: [&str; 11] = [
    "/etc/shadow",
    "/etc//passwd",
    "/tmp/../etc/shadow",
    "/tmp/x/key.pem",
    "data/a",
    "./data/b/../c",
    "data/b/key.pem",
    "../x",
    "~/.ssh/id_rsa",
    "$HOME/.ssh/id_rsa",
    "file:///etc/passwd",
];
/// Patterns within a project.
const INSIDE: [&str; 9] = [
    "./**",
    "data/**",
    "data/{a,b}",
    "data/{b/*,c}",
    "*",
    "*/[a-c]",
    "da?a/**",
    "**/*.pem",
    "**",
];
/// Patterns that no project may allow.
const OUTSIDE: [&str; 9] = [
    "/etc/**",
    "/etc/{passwd,shadow}",
    "/etc/shadow",
    "/tmp/*/../x",
    "/",
    "~/.ssh/**",
    "~/**",
    "../**",
    "data/../**",
];

/// What stands at a key of a file.
#[derive(Debug)]
enum Tree {
    Map(BTreeMap<String, Tree>),
    List(Vec<String>),
    Text(String),
}

/// One thing that a file says: the keys down to it, and its text.
#[derive(Debug, Clone)]
pub(super) struct Line {
    keys: Vec<String>,
    text: String,
    /// It is one item of a list.
    item: bool,
}

impl Line {
    pub(super) fn new(path: &str, text: impl Into<String>) -> Self {
        Self {
            keys: path.split('.').map(str::to_owned).collect(),
            text: text.into(),
            item: false,
        }
    }

    fn item(path: &str, text: impl Into<String>) -> Self {
        Self {
            item: true,
            ..Self::new(path, text)
        }
    }
}

impl Tree {
    fn put(&mut self, keys: &[String], line: &Line) {
        match (self, keys) {
            (Self::Map(map), [last]) if line.item => {
                let stands = map
                    .entry(last.clone())
                    .or_insert_with(|| Self::List(Vec::new()));
                if let Self::List(items) = stands
                    && !items.contains(&line.text)
                {
                    items.push(line.text.clone());
                }
            }
            (Self::Map(map), [last]) => {
                map.insert(last.clone(), Self::Text(line.text.clone()));
            }
            (Self::Map(map), [first, rest @ ..]) => map
                .entry(first.clone())
                .or_insert_with(|| Self::Map(BTreeMap::new()))
                .put(rest, line),
            _ => {}
        }
    }

    fn yaml(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(items) => format!("[{}]", items.join(", ")),
            Self::Map(map) => {
                let entries: Vec<String> = map
                    .iter()
                    .map(|(key, value)| format!("{key}: {}", value.yaml()))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }
}

/// The text of a policy file that says all of this.
fn written(lines: &[Line]) -> String {
    let mut tree = Tree::Map(BTreeMap::new());
    tree.put(&["version".to_owned()], &Line::new("version", "1"));
    for line in lines {
        tree.put(&line.keys, line);
    }
    tree.yaml()
}

/// A name or path in a list, of a section of its own or of a language's.
fn listed(outside: bool) -> impl Strategy<Value = Line> {
    let names = (
        select(vec!["imports", "calls", "attributes"]),
        select(vec!["allow", "block"]),
        select(PATTERNS.to_vec()),
    );
    let blocked: Vec<&str> = INSIDE.into_iter().chain(OUTSIDE).collect();
    let allowed = if outside {
        blocked.clone()
    } else {
        INSIDE.to_vec()
    };
    let paths = prop_oneof![
        (Just("paths"), Just("allow"), select(allowed)),
        (Just("paths"), Just("block"), select(blocked)),
    ];
    let entry = prop_oneof![1 => names, 2 => paths];
    (language(), entry).prop_map(|(language, (section, list, pattern))| {
        Line::item(
            &format!("{language}{section}.{list}"),
            format!("'{pattern}'"),
        )
    })
}

fn language() -> impl Strategy<Value = &'static str> {
    prop_oneof![2 => Just(""), 1 => Just("languages.python."), 1 => Just("languages.shell.")]
}

fn default() -> impl Strategy<Value = Line> {
    let sections = select(vec!["imports", "calls", "attributes", "paths"]);
    (language(), sections, select(vec!["allow", "block"])).prop_map(|(language, section, say)| {
        Line::new(&format!("{language}{section}.default"), say)
    })
}

fn custom_rule() -> impl Strategy<Value = Line> {
    let paths: Vec<&str> = INSIDE.into_iter().chain(OUTSIDE).collect();
    let names = (
        select(vec!["import", "call", "attribute"]),
        select(PATTERNS.to_vec()),
    );
    let subject = prop_oneof![names, (Just("path"), select(paths))];
    let ids = select(vec!["own-a", "own-b", "own-c"]);
    let levels = select(vec!["LOW", "MEDIUM", "HIGH", "BLOCKED"]);
    (ids, subject, levels).prop_map(|(id, (kind, pattern), level)| {
        let rule = format!("{{id: {id}, {kind}: '{pattern}', level: {level}, message: it is}}");
        Line::item("custom_rules", rule)
    })
}

fn own_rule_set() -> impl Strategy<Value = Line> {
    let levels = select(vec!["off", "LOW", "HIGH", "BLOCKED"]);
    (select(vec!["own-a", "own-b", "SR201"]), levels)
        .prop_map(|(rule, level)| Line::new(&format!("rules.{rule}"), level))
}

/// Whether a file holds and does not contradict itself, also over the loosest preset, which hides least of it.
fn sound(source: &Source) -> bool {
    let loosest = Source::flag("--policy", "preset", "permissive");
    let over = match load(&[loosest, source.clone()]) {
        Ok(loaded) => loaded.warnings,
        Err(Diagnostics(found)) => found,
    };
    let wrong = |found: &Diagnostic| found.is_error() || found.code == "contradiction";
    !check(source).iter().chain(&over).any(wrong)
}

/// A file of several settings that is sound by itself.
pub(super) fn file(layer: LayerKind) -> impl Strategy<Value = Source> {
    let line = prop_oneof![
        3 => setting_of_a_file(),
        4 => listed(layer != LayerKind::Project),
        1 => default(),
        1 => custom_rule(),
        1 => own_rule_set(),
    ];
    vec(line, 1..9).prop_map(move |lines| {
        // What contradicts itself is cut until it holds: the laws speak of files that hold.
        (0..=lines.len())
            .rev()
            .map(|count| Source::yaml(layer, "generated", written(&lines[..count])))
            .find(sound)
            .unwrap_or_else(|| Source::yaml(layer, "generated", "version: 1"))
    })
}
