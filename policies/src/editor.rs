//! What an editor asks of a policy text: which key stands here, what it means, and what may stand in its place.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::keys::{self, Kind, LANGUAGES, NAME_SECTIONS, Scope};
use crate::rules;
use crate::yaml::{self, Node, Shape, Span};

/// A key for hover and completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInfo {
    /// Dotted path.
    pub path: String,
    /// One sentence.
    pub doc: String,
    /// Words that it takes, if its values are words.
    pub words: Vec<String>,
    /// Whether a project's file may hold it at all.
    pub allowed_in_project: bool,
}

/// What is known of a key or a section.
#[must_use]
pub fn key_info(path: &str) -> Option<KeyInfo> {
    let info = |doc: &str, words: Vec<&str>, allowed_in_project| KeyInfo {
        path: path.to_owned(),
        doc: doc.to_owned(),
        words: words.into_iter().map(str::to_owned).collect(),
        allowed_in_project,
    };
    let half = || keys::find(&format!("{path}.default"));
    if let Some(key) = keys::find(path).or_else(half) {
        let words = match key.kind {
            Kind::Bool => vec!["true", "false"],
            Kind::Action => Action::WORDS.map(|(word, _)| word).to_vec(),
            _ => key.words().to_vec(),
        };
        return Some(info(&key.sentence(), words, key.scope == Scope::Any));
    }
    let last = path.rsplit('.').next().unwrap_or(path);
    let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
    let in_names = NAME_SECTIONS
        .iter()
        .any(|section| parent == *section || parent.ends_with(&format!(".{section}")));
    match (path, last) {
        ("version", _) => Some(info("Version of the language: 1.", vec!["1"], true)),
        ("preset", _) => Some(info(
            "The policy that this one is built on.",
            crate::presets::preset_names().to_vec(),
            true,
        )),
        ("languages", _) => Some(info(
            "Lists of names for one language.",
            LANGUAGES.to_vec(),
            true,
        )),
        ("rules", _) => Some(info(
            "The level of a rule, or `off`, by its name or its id.",
            vec![],
            true,
        )),
        ("custom_rules", _) => Some(info(
            "Findings of your own, by resolved name.",
            vec![],
            true,
        )),
        ("tests", _) => Some(info(
            "Code with the decision that is expected.",
            vec![],
            true,
        )),
        (_, "default") if in_names => Some(info(
            "What holds for a name in neither list.",
            vec!["allow", "block"],
            true,
        )),
        (_, "allow") if in_names => Some(info("Patterns that are allowed.", vec![], true)),
        (_, "block") if in_names => Some(info("Patterns that are blocked.", vec![], true)),
        (_, section) if NAME_SECTIONS.contains(&section) => Some(info(
            "Which names are allowed; a blocked one counts as BLOCKED.",
            vec![],
            true,
        )),
        (_, level) if parent == "rules" => {
            let levels = vec!["off", "LOW", "MEDIUM", "HIGH", "BLOCKED"];
            let doc = rules::find(level).map_or_else(
                || "The level of this rule, or `off`.".to_owned(),
                |rule| {
                    format!(
                        "{} {}, {} by itself. {}",
                        rule.id, rule.name, rule.level, rule.why
                    )
                },
            );
            (!level.is_empty()).then(|| info(&doc, levels, true))
        }
        _ => None,
    }
}

/// Names that may stand directly below a path; `""` is the top.
#[must_use]
pub fn keys_below(path: &str) -> Vec<&'static str> {
    let last = path.rsplit('.').next().unwrap_or(path);
    if NAME_SECTIONS.contains(&last) {
        return vec!["default", "allow", "block"];
    }
    match path.split_once('.') {
        _ if path == "languages" => LANGUAGES.to_vec(),
        _ if path == "rules" => rules::names().collect(),
        Some(("languages", language)) if LANGUAGES.contains(&language) => NAME_SECTIONS.to_vec(),
        _ => keys::children(path).into_iter().collect(),
    }
}

/// The path of the key or value at a line and column (both from 1, the column in characters).
/// Nothing where the text does not parse.
#[must_use]
pub fn key_at(text: &str, line: u32, column: u32) -> Option<String> {
    let root = yaml::read(text).ok()?;
    let mut best = None;
    visit(&root, "", &mut |path, span, text_length| {
        let end = span.column.saturating_add(text_length);
        if span.line == line && (span.column..=end).contains(&column) {
            best = Some(path.to_owned());
        }
    });
    best
}

/// Walks every key and plain value; the depth is bounded by the reader.
fn visit(node: &Node, path: &str, see: &mut impl FnMut(&str, Span, u32)) {
    let length =
        |span: Span| u32::try_from(span.end.saturating_sub(span.start)).unwrap_or(u32::MAX);
    match &node.shape {
        Shape::Empty => {}
        Shape::Scalar { .. } => see(path, node.span, length(node.span)),
        Shape::List(items) => items.iter().for_each(|item| visit(item, path, see)),
        Shape::Map(entries) => {
            for (word, value) in entries {
                let below = if path.is_empty() {
                    word.text.clone()
                } else {
                    format!("{path}.{}", word.text)
                };
                see(&below, word.span, length(word.span));
                visit(value, &below, see);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_under_the_cursor_is_found_and_known() {
        let text = "version: 1\nlimits:\n  memory: {default: 64MiB}\nimports:\n  block: [os]\nlevels:\n  HIGH: refuse\n";
        for (line, column, path) in [
            (1, 3, "version"),
            (2, 1, "limits"),
            (3, 5, "limits.memory"),
            (3, 13, "limits.memory.default"),
            (3, 23, "limits.memory.default"),
            (5, 12, "imports.block"),
            (7, 10, "levels.HIGH"),
        ] {
            assert_eq!(
                key_at(text, line, column).as_deref(),
                Some(path),
                "{line}:{column}"
            );
            assert_eq!(key_info(path).is_some(), path != "limits", "{path}");
        }
        assert_eq!(key_at(text, 40, 1), None);
        assert_eq!(key_at("a: [", 1, 1), None);
        assert!(
            key_info("levels.HIGH").is_some_and(|info| info.words.contains(&"refuse".to_owned()))
        );
        assert!(key_info("alerts.command").is_some_and(|info| !info.allowed_in_project));
        assert_eq!(keys_below("languages.python"), NAME_SECTIONS);
        assert!(keys_below("").contains(&"limits"));
        assert_eq!(keys_below("limits.memory"), ["default", "max"]);
        for rule in keys_below("rules") {
            let info = key_info(&format!("rules.{rule}")).expect("a rule");
            assert!(
                info.doc.contains(rule) && info.words[0] == "off",
                "{info:?}"
            );
        }
        assert!(keys_below("rules").contains(&"shell-command"));
    }
}
