//! From the tree of a text to a [`Layer`]: walks the mapping by the table of keys and collects every mistake,
//! not only the first. Knows nothing of other layers.

mod custom;
mod expectations;
mod lists;
mod scalar;

use std::collections::BTreeMap;

use saferun_scanner::UsageKind;

use crate::diagnostic::{Diagnostic, Place, Severity, nearest};
use crate::keys::{self, Key, Scope};
use crate::layer::{Content, Layer, Set, Source};
use crate::origin::LayerKind;
use crate::value::Value;
use crate::yaml::{self, Node, Shape, Span, Word};

/// Reads one source. A layer comes back even when there are errors, so that more of them can be found.
pub(crate) fn read(source: &Source) -> (Layer, Vec<Diagnostic>) {
    let layer = Layer::new(source);
    let text = layer.text.clone();
    let mut reader = Reader {
        place: Place {
            layer: source.layer,
            file: &source.name,
            text: &text,
        },
        layer,
        found: Vec::new(),
        names: BTreeMap::new(),
    };
    match &source.content {
        Content::Yaml(text) => match yaml::read(text) {
            Ok(node) => reader.document(&node),
            Err(broken) => {
                reader.report(
                    Severity::Error,
                    broken.code,
                    broken.message,
                    broken.help,
                    broken.span,
                );
            }
        },
        Content::Setting { key, value } => reader.setting(key, value),
    }
    (reader.layer, reader.found)
}

/// Messages that are shown for one file.
const MAX_FOUND: usize = 100;

struct Reader<'a> {
    place: Place<'a>,
    layer: Layer,
    found: Vec<Diagnostic>,
    /// Where each name stands in the layer's entries, to find doubles.
    names: BTreeMap<(UsageKind, Option<&'static str>, String), usize>,
}

impl Reader<'_> {
    fn report(
        &mut self,
        severity: Severity,
        code: &str,
        message: impl Into<String>,
        help: Option<String>,
        span: Span,
    ) {
        // Each message looks up its line; a file of nothing but mistakes would take the square of its length.
        match self.found.len() {
            0..MAX_FOUND => {
                self.found.push(Diagnostic::new(
                    severity,
                    code,
                    message,
                    help,
                    &self.place,
                    span,
                ));
            }
            MAX_FOUND => {
                let message = format!("more than {MAX_FOUND} mistakes; the rest is not shown");
                let found = Diagnostic::new(
                    Severity::Error,
                    "too-many",
                    message,
                    None,
                    &self.place,
                    span,
                );
                self.found.push(found);
            }
            _ => {}
        }
    }

    fn error(
        &mut self,
        code: &str,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let help = Some(help.into()).filter(|help| !help.is_empty());
        self.report(Severity::Error, code, message, help, span);
    }

    fn document(&mut self, node: &Node) {
        let entries = match &node.shape {
            Shape::Map(entries) => entries,
            Shape::Empty => {
                return self.error(
                    "empty",
                    node.span,
                    "the policy is empty",
                    "begin with `version: 1`",
                );
            }
            _ => {
                let help = "begin with `version: 1`";
                return self.error(
                    "not-a-mapping",
                    node.span,
                    "a policy is a mapping of keys to values",
                    help,
                );
            }
        };
        match entries.iter().find(|(word, _)| word.text == "version") {
            None => {
                let help = "add `version: 1` as the first line";
                self.error(
                    "no-version",
                    node.span,
                    "the policy does not say its version",
                    help,
                );
            }
            Some((_, version)) => match &version.shape {
                Shape::Scalar {
                    text,
                    quoted: false,
                } if text == "1" => {}
                _ => {
                    let help =
                        "this SafeRun reads `version: 1`; a later one may need a newer SafeRun";
                    self.error(
                        "bad-version",
                        version.span,
                        "the version is not known",
                        help,
                    );
                }
            },
        }
        for (word, value) in entries {
            if word.text != "version" {
                self.entry("", word, value);
            }
        }
        self.blocked_and_off();
    }

    /// One variable or flag: the same walk, with a place that has no lines.
    fn setting(&mut self, key: &str, value: &str) {
        let (prefix, last) = key.rsplit_once('.').unwrap_or(("", key));
        let scalar = |text: &str| Node {
            shape: Shape::Scalar {
                text: text.trim().to_owned(),
                quoted: false,
            },
            span: Span::default(),
        };
        let is_list = keys::find(key)
            .is_some_and(|key| matches!(key.kind, keys::Kind::Words(_) | keys::Kind::Texts { .. }))
            || matches!(last, "allow" | "block");
        let node = if is_list {
            let items = value
                .split(',')
                .filter(|item| !item.trim().is_empty())
                .map(scalar)
                .collect();
            Node {
                shape: Shape::List(items),
                span: Span::default(),
            }
        } else if value.contains(',')
            && keys::find(key).is_some_and(|key| matches!(key.kind, keys::Kind::Rates { .. }))
        {
            Node {
                shape: Shape::List(value.split(',').map(scalar).collect()),
                span: Span::default(),
            }
        } else {
            scalar(value)
        };
        let word = Word {
            text: last.to_owned(),
            span: Span::default(),
        };
        self.entry(prefix, &word, &node);
    }

    /// One key with its value below `prefix`.
    fn entry(&mut self, prefix: &str, word: &Word, node: &Node) {
        if self.found.len() > MAX_FOUND {
            return;
        }
        match (prefix, word.text.as_str()) {
            ("", "preset") => return self.preset(word, node),
            ("", "rules") => return self.rules(node),
            ("rules", _) => return self.rule(word, node),
            ("", "custom_rules") => return self.custom_rules(node),
            ("", "tests") => return self.tests(node),
            ("", "languages") => return self.languages(node),
            ("", section) if keys::NAME_SECTIONS.contains(&section) => {
                return self.names(section, None, node);
            }
            (section, _) if keys::NAME_SECTIONS.contains(&section) => {
                return self.name_list(section, None, word, node);
            }
            _ => {}
        }
        let path = if prefix.is_empty() {
            word.text.clone()
        } else {
            format!("{prefix}.{}", word.text)
        };
        if let Some(key) = keys::find(&path) {
            self.key(key, word, node);
        } else if keys::is_section(&path) {
            self.section(&path, word, node);
        } else {
            self.unknown(prefix, word);
        }
    }

    fn section(&mut self, path: &str, word: &Word, node: &Node) {
        let halves = [
            keys::find(&format!("{path}.default")),
            keys::find(&format!("{path}.max")),
        ];
        match (&node.shape, halves) {
            (Shape::Map(entries), _) => {
                for (word, value) in entries {
                    self.entry(path, word, value);
                }
            }
            // `memory: 100MiB` fixes a limit: default and maximum are the same.
            (Shape::Scalar { .. }, [Some(default), Some(max)]) => {
                let before = self.found.len();
                self.key(default, word, node);
                if self.found.len() == before {
                    self.key(max, word, node);
                }
            }
            (Shape::Empty, _) => {
                let help = format!("remove it, or give it keys: {}", list(keys::children(path)));
                self.error(
                    "no-value",
                    word.span,
                    format!("`{path}` has no value"),
                    help,
                );
            }
            _ => {
                let help = format!("its keys are {}", list(keys::children(path)));
                self.error(
                    "wrong-type",
                    node.span,
                    format!("`{path}` is a section with keys of its own"),
                    help,
                );
            }
        }
    }

    fn key(&mut self, key: &'static Key, word: &Word, node: &Node) {
        let trusted = matches!(
            self.layer.kind,
            LayerKind::Preset | LayerKind::System | LayerKind::User
        ) && !self.layer.tighten_only;
        if key.scope == Scope::Trusted && !trusted {
            let message = format!(
                "`{}` may not stand in a {} layer",
                key.path, self.layer.kind
            );
            let help = "it says what the daemon does by itself, for you and not for a project: put it into your user or system policy";
            return self.error("forbidden-key", word.span, message, help);
        }
        let Some(value) = self.value(key, word, node) else {
            return;
        };
        let tight = matches!(value, Value::Bool(false) | Value::Word("strict"));
        let own_word = self.layer.kind == LayerKind::User && !self.layer.tighten_only;
        if key.scope == Scope::User && !own_word && !tight {
            let message = format!(
                "`{}: {value}` may stand in the user's own policy only",
                key.path
            );
            return self.error(
                "forbidden-key",
                word.span,
                message,
                "put it into your user policy",
            );
        }
        let origin = self.place.origin(word.span);
        self.layer.values.insert(
            key.path,
            Set {
                value,
                origin,
                span: node.span,
            },
        );
    }

    fn preset(&mut self, word: &Word, node: &Node) {
        let Some(name) = self.plain(word, node, "the name of a preset") else {
            return;
        };
        let names = crate::presets::preset_names();
        if self.layer.kind == LayerKind::Preset {
            let help = "write its keys out";
            self.error(
                "forbidden-key",
                word.span,
                "a preset is not built on another",
                help,
            );
        } else if names.contains(&name.as_str()) {
            self.layer.preset = Some((name, node.span));
        } else {
            let help = suggest(&name, names.iter().copied(), "presets");
            self.error(
                "unknown-preset",
                node.span,
                format!("there is no preset `{name}`"),
                help,
            );
        }
    }

    fn unknown(&mut self, prefix: &str, word: &Word) {
        let known = keys::children(prefix);
        let inside = if prefix.is_empty() {
            String::new()
        } else {
            format!(" in `{prefix}`")
        };
        // A key that is right but stands at the wrong place is the commonest mistake.
        let elsewhere = keys::all().iter().map(|key| key.path).find_map(|path| {
            let mut parts = path.split('.').rev();
            let last = parts.next()?;
            let name = if matches!(last, "default" | "max") {
                parts.next()?
            } else {
                last
            };
            (name == word.text).then(|| path.trim_end_matches(".default"))
        });
        let help = match (nearest(&word.text, known.iter().copied()), elsewhere) {
            (None, Some(path)) => format!("did you mean `{path}`?"),
            _ => suggest(&word.text, known.iter().copied(), "known keys"),
        };
        self.error(
            "unknown-key",
            word.span,
            format!("unknown key `{}`{inside}", word.text),
            help,
        );
    }
}

/// `` `a`, `b` and `c` `` for messages.
fn list<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Words of other tools, with ours.
const SYNONYMS: [(&str, &str); 11] = [
    ("allow", "run"),
    ("ask", "override"),
    ("block", "refuse"),
    ("critical", "BLOCKED"),
    ("deny", "block"),
    ("deny", "refuse"),
    ("docker", "runc"),
    ("forbid", "block"),
    ("gvisor", "runsc"),
    ("reject", "refuse"),
    ("warn", "run"),
];

/// Advice for a word out of a closed list.
fn suggest<'w>(word: &str, known: impl Iterator<Item = &'w str> + Clone, what: &str) -> String {
    let lower = word.to_lowercase();
    let mut meant = SYNONYMS
        .iter()
        .filter(|(other, _)| *other == lower)
        .map(|(_, ours)| *ours);
    meant
        .find(|ours| known.clone().any(|word| word == *ours))
        .or_else(|| nearest(word, known.clone()))
        .map_or_else(
            || format!("{what} are {}", list(known)),
            |near| format!("did you mean `{near}`?"),
        )
}
