//! `custom_rules`: a user's own findings, by the resolved name of an import, call, attribute or path.

use saferun_scanner::Level;

use super::{Reader, suggest};
use crate::layer::{CustomRule, RuleSetting};
use crate::merge::locate;
use crate::names::{Pattern, kind_of};
use crate::rules;
use crate::yaml::{Node, Word};

const KEYS: [&str; 7] = [
    "id",
    "import",
    "call",
    "attribute",
    "path",
    "level",
    "message",
];
const MAX: usize = 200;

impl Reader<'_> {
    pub(super) fn custom_rules(&mut self, node: &Node) {
        let word = Word {
            text: "custom_rules".to_owned(),
            span: node.span,
        };
        let Some(items) = self.items(&word, node, "rules") else {
            return;
        };
        if items.len() > MAX {
            let message = format!("more than {MAX} custom rules");
            return self.error(
                "out-of-range",
                node.span,
                message,
                "match several names with one pattern",
            );
        }
        for item in items {
            self.custom_rule(item);
        }
    }

    fn custom_rule(&mut self, node: &Node) {
        const EXAMPLE: &str =
            "- {id: no-pickle, call: pickle.*, level: HIGH, message: Loads run code}";
        let Some(entries) = self.mapping("custom_rules", node, EXAMPLE) else {
            return;
        };
        let (mut id, mut level, mut message) = (None, None, None);
        let mut pattern = None;
        let before = self.found.len();
        for (word, value) in entries {
            if !KEYS.contains(&word.text.as_str()) {
                let help = suggest(&word.text, KEYS.into_iter(), "keys of a custom rule");
                self.error(
                    "unknown-key",
                    word.span,
                    format!("unknown key `{}` in `custom_rules`", word.text),
                    help,
                );
                continue;
            }
            let Some(text) = self.plain(word, value, "a text") else {
                continue;
            };
            match word.text.as_str() {
                "id" => id = self.rule_id(text, value),
                "level" => level = self.level(&text, value.span),
                "message" if text.trim().is_empty() || text.len() > 500 => {
                    let help = "say in one sentence what is at stake";
                    self.error(
                        "bad-item",
                        value.span,
                        "the message is empty or longer than 500 bytes",
                        help,
                    );
                }
                "message" => message = Some(text),
                section => {
                    let Some(kind) = kind_of(&format!("{section}s")) else {
                        continue;
                    };
                    if pattern.is_some() {
                        let help = "make two rules of it";
                        self.error(
                            "contradiction",
                            word.span,
                            "a rule matches one kind of name",
                            help,
                        );
                        continue;
                    }
                    match Pattern::parse(&text, kind) {
                        Ok(parsed) => pattern = Some((kind, parsed)),
                        Err(message) => {
                            self.error("bad-pattern", value.span, message, "as in `pickle.*`");
                        }
                    }
                }
            }
        }
        let broken = self.found.len() > before;
        match (id, pattern, level, message) {
            (Some(id), Some((kind, pattern)), Some(level), Some(message)) if !broken => {
                let origin = self.place.origin(node.span);
                self.layer.custom.push(CustomRule {
                    id,
                    kind,
                    pattern,
                    level,
                    message,
                    origin,
                });
            }
            _ if broken => {}
            (id, pattern, level, _) => {
                let missing = match (id, pattern, level) {
                    (None, ..) => "`id`",
                    (_, None, _) => "one of `import`, `call`, `attribute` and `path`",
                    (_, _, None) => "`level`",
                    _ => "`message`",
                };
                let message = format!("the custom rule lacks {missing}");
                self.error(
                    "missing-key",
                    node.span,
                    message,
                    format!("as in `{EXAMPLE}`"),
                );
            }
        }
    }

    /// A rule that one file makes BLOCKED and switches off: whichever is meant, the other line misleads.
    pub(super) fn blocked_and_off(&mut self) {
        let off = self
            .layer
            .rules
            .iter()
            .filter(|line| line.setting == RuleSetting::Off);
        let both: Vec<_> = off
            .filter_map(|line| {
                let is = |rule: &&CustomRule| rule.id == line.rule && rule.level == Level::Blocked;
                let custom = self.layer.custom.iter().find(is)?;
                Some((line.rule.clone(), line.origin.clone(), custom.origin.line))
            })
            .collect();
        for (rule, origin, line) in both {
            let span = locate(&self.layer.text, &origin);
            let message = format!("the custom rule `{rule}` is both off and BLOCKED");
            let help = format!(
                "it is made in line {line}: remove that rule, or the line that switches it off"
            );
            self.error("contradiction", span, message, help);
        }
    }

    fn rule_id(&mut self, id: String, node: &Node) -> Option<String> {
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || id.len() > 64 || !id.chars().all(kebab) {
            let message = format!("`{id}` is not an id");
            self.error(
                "bad-item",
                node.span,
                message,
                "use small letters, digits and `-`",
            );
            return None;
        }
        if let Some(rule) = rules::find(&id) {
            let message = format!("the scanner has a rule `{id}`");
            let help = format!(
                "give yours another id: `rules` could not tell it from {}",
                rule.id
            );
            self.error("duplicate-item", node.span, message, help);
            return None;
        }
        if self.layer.custom_ids.contains(&id) {
            let message = format!("there are two custom rules `{id}`");
            self.error(
                "duplicate-item",
                node.span,
                message,
                "give one of them another id",
            );
            return None;
        }
        self.layer.custom_ids.push(id.clone());
        Some(id)
    }
}
