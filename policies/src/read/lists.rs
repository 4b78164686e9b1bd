//! `imports`, `calls`, `attributes`, `paths`, their copies below `languages`, and `rules`.

use saferun_scanner::{Level, UsageKind};

use super::{Reader, list, suggest};
use crate::keys::{LANGUAGES, NAME_SECTIONS};
use crate::layer::{RuleLine, RuleSetting};
use crate::names::{Entry, Fallback, Pattern, Say, kind_of};
use crate::origin::LayerKind;
use crate::rules;
use crate::yaml::{Node, Shape, Span, Word};

/// Names in all lists of one file.
const MAX_NAMES: usize = 2000;
const PARTS: [&str; 3] = ["default", "allow", "block"];

impl Reader<'_> {
    /// A mapping, or nothing after an error was reported.
    pub(super) fn mapping<'n>(
        &mut self,
        name: &str,
        node: &'n Node,
        example: &str,
    ) -> Option<&'n [(Word, Node)]> {
        if let Shape::Map(entries) = &node.shape {
            return Some(entries);
        }
        let code = if node.shape == Shape::Empty {
            "no-value"
        } else {
            "wrong-type"
        };
        let help = format!("write it as `{example}`");
        self.error(code, node.span, format!("`{name}` takes a mapping"), help);
        None
    }

    pub(super) fn languages(&mut self, node: &Node) {
        let Some(entries) = self.mapping(
            "languages",
            node,
            "languages: {python: {calls: {block: [eval]}}}",
        ) else {
            return;
        };
        for (word, value) in entries {
            let Some(language) = LANGUAGES.iter().find(|known| **known == word.text) else {
                let help = suggest(&word.text, LANGUAGES.iter().copied(), "languages");
                self.error(
                    "unknown-key",
                    word.span,
                    format!("unknown language `{}`", word.text),
                    help,
                );
                continue;
            };
            let Some(sections) = self.mapping(language, value, "python: {calls: {block: [eval]}}")
            else {
                continue;
            };
            for (word, value) in sections {
                if NAME_SECTIONS.contains(&word.text.as_str()) {
                    self.names(&word.text, Some(language), value);
                } else {
                    let help = suggest(
                        &word.text,
                        NAME_SECTIONS.iter().copied(),
                        "sections of a language",
                    );
                    let message = format!("unknown key `{}` in `languages.{language}`", word.text);
                    self.error("unknown-key", word.span, message, help);
                }
            }
        }
    }

    pub(super) fn names(&mut self, section: &str, language: Option<&'static str>, node: &Node) {
        if let Some(entries) = self.mapping(section, node, "imports: {block: [os]}") {
            for (word, value) in entries {
                self.name_list(section, language, word, value);
            }
        }
    }

    /// `default`, `allow` or `block` of one section.
    pub(super) fn name_list(
        &mut self,
        section: &str,
        language: Option<&'static str>,
        word: &Word,
        node: &Node,
    ) {
        let Some(kind) = kind_of(section) else { return };
        let say = match word.text.as_str() {
            "allow" => Say::Allow,
            "block" => Say::Block,
            "default" => return self.fallback(kind, language, word, node),
            other => {
                let help = suggest(other, PARTS.iter().copied(), "keys here");
                return self.error(
                    "unknown-key",
                    word.span,
                    format!("unknown key `{other}` in `{section}`"),
                    help,
                );
            }
        };
        let Some(items) = self.items(word, node, "names") else {
            return;
        };
        for item in items {
            let Some(text) = self.plain(word, item, "names") else {
                continue;
            };
            match Pattern::parse(&text, kind) {
                Ok(pattern) => {
                    self.name(
                        Entry {
                            kind,
                            language,
                            say,
                            pattern,
                            origin: self.place.origin(item.span),
                        },
                        item.span,
                    );
                }
                Err(message) => {
                    let help = "as in `os.path`, `os.*` or, for paths, `~/.ssh/**`";
                    self.error("bad-pattern", item.span, message, help);
                }
            }
        }
    }

    fn name(&mut self, entry: Entry, span: Span) {
        let text = entry.pattern.text.clone();
        if entry.say == Say::Allow
            && entry.pattern.lies_outside()
            && self.layer.kind == LayerKind::Project
        {
            let message = format!("`{text}` lies outside the project");
            let help = "a project's policy may allow paths of the project only: put it into your user policy";
            return self.error("forbidden-key", span, message, help);
        }
        let name = (entry.kind, entry.language, text.clone());
        match self
            .names
            .get(&name)
            .and_then(|index| self.layer.entries.get(*index))
        {
            Some(other) if other.say == entry.say => {
                self.error(
                    "duplicate-item",
                    span,
                    format!("`{text}` stands here twice"),
                    "remove one",
                );
            }
            Some(other) => {
                let message = format!("`{text}` is both allowed and blocked");
                let help = format!(
                    "the other one stands in line {}: remove one",
                    other.origin.line
                );
                self.error("contradiction", span, message, help);
            }
            // Each name of the code is matched against each of them.
            None if self.layer.entries.len() >= MAX_NAMES => {
                if !self.found.iter().any(|found| found.code == "too-many") {
                    let message = format!("more than {MAX_NAMES} names in one file");
                    self.error(
                        "too-many",
                        span,
                        message,
                        "match several names with one pattern",
                    );
                }
            }
            None => {
                self.names.insert(name, self.layer.entries.len());
                self.layer.entries.push(entry);
            }
        }
    }

    fn fallback(
        &mut self,
        kind: UsageKind,
        language: Option<&'static str>,
        word: &Word,
        node: &Node,
    ) {
        let Some(text) = self.plain(word, node, "`allow` or `block`") else {
            return;
        };
        let say = match self.one_of(&text, &["allow", "block"], node.span) {
            Some("allow") => Say::Allow,
            Some(_) => Say::Block,
            None => return,
        };
        let origin = self.place.origin(word.span);
        self.layer.fallbacks.push(Fallback {
            kind,
            language,
            say,
            origin,
        });
    }

    pub(super) fn rules(&mut self, node: &Node) {
        if let Some(entries) = self.mapping("rules", node, "rules: {shell-command: off}") {
            for (word, value) in entries {
                self.rule(word, value);
            }
        }
    }

    pub(super) fn rule(&mut self, word: &Word, node: &Node) {
        let Some(text) = self.plain(word, node, "`off` or a level") else {
            return;
        };
        let setting = match text.as_str() {
            "off" => RuleSetting::Off,
            _ => match self.level(&text, node.span) {
                Some(level) => RuleSetting::Level(level),
                None => return,
            },
        };
        // Whether there is such a rule is asked when every layer is read: it may be a custom one of another.
        let rule = rules::key(&word.text);
        if let Some(other) = self.layer.rules.iter().find(|line| line.rule == rule) {
            let both_off = other.setting == RuleSetting::Off || setting == RuleSetting::Off;
            let message = if other.setting != setting && both_off {
                format!("the rule `{}` is both off and on", word.text)
            } else {
                format!("the rule `{}` is set twice", word.text)
            };
            let help = format!(
                "the other one stands in line {}: remove one",
                other.origin.line
            );
            return self.error("contradiction", word.span, message, help);
        }
        let origin = self.place.origin(word.span);
        self.layer.rules.push(RuleLine {
            rule,
            setting,
            origin,
        });
    }

    /// A level, in capitals as everywhere.
    pub(super) fn level(&mut self, text: &str, span: Span) -> Option<Level> {
        let found = Level::ALL.into_iter().find(|level| level.as_str() == text);
        if found.is_none() {
            let words = Level::ALL.map(Level::as_str);
            let help = suggest(text, words.into_iter(), "levels");
            self.error(
                "unknown-word",
                span,
                format!("`{text}` is not one of {}", list(words)),
                help,
            );
        }
        found
    }
}
