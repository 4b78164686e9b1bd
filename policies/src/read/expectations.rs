//! `tests`: code with the decision that the policy should come to.

use super::{Reader, suggest};
use crate::decision::Verdict;
use crate::keys::LANGUAGES;
use crate::layer::Expectation;
use crate::yaml::{Node, Word};

const KEYS: [&str; 7] = [
    "name", "code", "expect", "because", "language", "gvisor", "override",
];
const VERDICTS: [Verdict; 4] = [
    Verdict::Allow,
    Verdict::AllowStricter,
    Verdict::NeedsOverride,
    Verdict::Refuse,
];
const MAX: usize = 200;

impl Reader<'_> {
    pub(super) fn tests(&mut self, node: &Node) {
        let word = Word {
            text: "tests".to_owned(),
            span: node.span,
        };
        let Some(items) = self.items(&word, node, "tests") else {
            return;
        };
        if items.len() > MAX {
            return self.error(
                "out-of-range",
                node.span,
                format!("more than {MAX} tests"),
                "",
            );
        }
        for item in items {
            self.expectation(item);
        }
    }

    fn expectation(&mut self, node: &Node) {
        const EXAMPLE: &str = "- {name: shell, code: 'import os', expect: refuse}";
        let Some(entries) = self.mapping("tests", node, EXAMPLE) else {
            return;
        };
        let (mut name, mut code, mut expect) = (None, None, None);
        let (mut because, mut override_reason) = (None, None);
        let (mut language, mut gvisor) = ("python".to_owned(), false);
        let before = self.found.len();
        for (word, value) in entries {
            let key = word.text.as_str();
            if !KEYS.contains(&key) {
                let help = suggest(key, KEYS.into_iter(), "keys of a test");
                self.error(
                    "unknown-key",
                    word.span,
                    format!("unknown key `{key}` in `tests`"),
                    help,
                );
                continue;
            }
            let Some((text, quoted)) = self.scalar(word, value, "a value") else {
                continue;
            };
            match key {
                "name" => name = Some(text),
                "code" => code = Some(text),
                "because" => because = Some(text),
                "override" => override_reason = Some(text),
                "gvisor" => gvisor = self.boolean(&text, quoted, value.span).unwrap_or(false),
                "language" if LANGUAGES.contains(&text.as_str()) => language = text,
                "language" => {
                    let help = suggest(&text, LANGUAGES.into_iter(), "languages");
                    self.error(
                        "unknown-word",
                        value.span,
                        format!("`{text}` is not a language"),
                        help,
                    );
                }
                _ => {
                    expect = VERDICTS
                        .into_iter()
                        .find(|verdict| verdict.as_str() == text);
                    if expect.is_none() {
                        let help = suggest(
                            &text,
                            VERDICTS.map(Verdict::as_str).into_iter(),
                            "decisions",
                        );
                        self.error(
                            "unknown-word",
                            value.span,
                            format!("`{text}` is not a decision"),
                            help,
                        );
                    }
                }
            }
        }
        let broken = self.found.len() > before;
        match (name, code, expect) {
            (Some(name), Some(code), Some(expect)) if !broken => {
                let origin = self.place.origin(node.span);
                self.layer.tests.push(Expectation {
                    name,
                    code,
                    language,
                    expect,
                    because,
                    gvisor,
                    override_reason,
                    origin,
                });
            }
            _ if broken => {}
            (name, code, _) => {
                let missing = match (name, code) {
                    (None, _) => "`name`",
                    (_, None) => "`code`",
                    _ => "`expect`",
                };
                let message = format!("the test lacks {missing}");
                self.error(
                    "missing-key",
                    node.span,
                    message,
                    format!("as in `{EXAMPLE}`"),
                );
            }
        }
    }
}
