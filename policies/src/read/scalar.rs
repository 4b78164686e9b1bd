//! Values of plain keys: each kind is read strictly, and a range is part of the kind.

use std::ops::RangeInclusive;

use super::{Reader, list, suggest};
use crate::action::Action;
use crate::keys::{Key, Kind, Texts};
use crate::names::Pattern;
use crate::rate::{Rate, conjoin};
use crate::units::{Bytes, show_duration};
use crate::units_parse::{self as units, Wrong};
use crate::value::{Tighten, Value};
use crate::yaml::{Node, Shape, Span, Word};

impl Reader<'_> {
    /// The value of a key, or nothing after an error was reported.
    pub(super) fn value(&mut self, key: &'static Key, word: &Word, node: &Node) -> Option<Value> {
        match key.kind {
            Kind::Words(words) => return self.words(word, node, words),
            Kind::Texts { max, what } => return self.texts(key, word, node, max, what),
            Kind::Rates { max } => return self.rates(key, word, node, max),
            _ => {}
        }
        let (text, quoted) = self.scalar(word, node, kind_name(key.kind))?;
        let span = node.span;
        let name = key.path;
        match key.kind {
            Kind::Bool => self.boolean(&text, quoted, span).map(Value::Bool),
            Kind::Count { min, max } => {
                if quoted {
                    let help = format!("write {text} without quotes");
                    self.error(
                        "wrong-type",
                        span,
                        format!("`{name}` is a number, not a text"),
                        help,
                    );
                    return None;
                }
                let value = self.unit(units::count(&text), span)?;
                self.within(name, value, &(min..=max), ToString::to_string, span)
                    .map(Value::Count)
            }
            Kind::Bytes { min, max } => {
                let value = self.unit(units::bytes(&text), span)?;
                self.within(name, value, &(min..=max), Bytes::to_string, span)
                    .map(Value::Bytes)
            }
            Kind::Cpus { min, max } => {
                let value = self.unit(units::cpus(&text), span)?;
                self.within(name, value, &(min..=max), ToString::to_string, span)
                    .map(Value::Cpus)
            }
            Kind::Time { min, max } => {
                let value = self.unit(units::duration(&text), span)?;
                let millis = std::time::Duration::from_millis;
                self.within(
                    name,
                    value,
                    &(millis(min)..=millis(max)),
                    |value| show_duration(*value),
                    span,
                )
                .map(Value::Time)
            }
            Kind::Percent { max } => {
                let value = self.unit(units::percent(&text), span)?;
                self.within(name, value, &(0..=max), |value| format!("{value}%"), span)
                    .map(Value::Percent)
            }
            Kind::Action => {
                let action = Action::from_word(&text);
                if action.is_none() {
                    let words = Action::WORDS.iter().map(|(word, _)| *word);
                    let help = suggest(&text, words, "actions");
                    self.error(
                        "unknown-word",
                        span,
                        format!("`{text}` is not an action"),
                        help,
                    );
                }
                action.map(Value::Action)
            }
            Kind::Word(words) => self.one_of(&text, words, span).map(Value::Word),
            Kind::Text { max } => {
                if text.chars().count() > max {
                    let message = format!("`{name}` has more than {max} characters");
                    self.error("out-of-range", span, message, "shorten it");
                    return None;
                }
                Some(Value::Text(text))
            }
            Kind::Words(_) | Kind::Texts { .. } | Kind::Rates { .. } => None,
        }
    }

    /// The text of a scalar and whether it was quoted.
    pub(super) fn scalar(
        &mut self,
        word: &Word,
        node: &Node,
        what: &str,
    ) -> Option<(String, bool)> {
        let got = match &node.shape {
            Shape::Scalar { text, quoted } => return Some((text.clone(), *quoted)),
            Shape::Empty => {
                let message = format!("`{}` has no value", word.text);
                self.error("no-value", word.span, message, format!("it takes {what}"));
                return None;
            }
            Shape::List(_) => "a list",
            Shape::Map(_) => "a mapping",
        };
        let message = format!("`{}` takes {what}, not {got}", word.text);
        self.error("wrong-type", node.span, message, "");
        None
    }

    /// The text of a scalar, quoted or not.
    pub(super) fn plain(&mut self, word: &Word, node: &Node, what: &str) -> Option<String> {
        self.scalar(word, node, what).map(|(text, _)| text)
    }

    /// The items of a list.
    pub(super) fn items<'n>(
        &mut self,
        word: &Word,
        node: &'n Node,
        what: &str,
    ) -> Option<&'n [Node]> {
        match &node.shape {
            Shape::List(items) => return Some(items),
            Shape::Scalar { text, .. } => {
                let message = format!("`{}` takes a list of {what}", word.text);
                self.error(
                    "wrong-type",
                    node.span,
                    message,
                    format!("write `[{text}]`"),
                );
            }
            Shape::Empty => {
                let message = format!("`{}` has no value", word.text);
                self.error(
                    "no-value",
                    word.span,
                    message,
                    "write `[]` for an empty list",
                );
            }
            Shape::Map(_) => {
                let message = format!("`{}` takes a list of {what}, not a mapping", word.text);
                self.error(
                    "wrong-type",
                    node.span,
                    message,
                    "begin each item with `- `",
                );
            }
        }
        None
    }

    pub(super) fn boolean(&mut self, text: &str, quoted: bool, span: Span) -> Option<bool> {
        match (text, quoted) {
            ("true", false) => return Some(true),
            ("false", false) => return Some(false),
            _ => {}
        }
        let help = match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" | "1" => "write `true`",
            "no" | "off" | "n" | "false" | "0" => "write `false`",
            _ => "write `true` or `false`",
        };
        self.error(
            "wrong-type",
            span,
            format!("`{text}` is neither `true` nor `false`"),
            help,
        );
        None
    }

    /// A word out of a closed list.
    pub(super) fn one_of(
        &mut self,
        text: &str,
        words: &'static [&'static str],
        span: Span,
    ) -> Option<&'static str> {
        let found = words.iter().find(|known| **known == text).copied();
        if found.is_none() {
            let help = suggest(text, words.iter().copied(), "words here");
            let message = format!("`{text}` is not one of {}", list(words.iter().copied()));
            self.error("unknown-word", span, message, help);
        }
        found
    }

    fn words(&mut self, word: &Word, node: &Node, words: &'static [&'static str]) -> Option<Value> {
        let items = self.items(word, node, "words")?;
        let mut chosen: Vec<&'static str> = Vec::new();
        for item in items {
            let text = self.plain(word, item, "words")?;
            let one = self.one_of(&text, words, item.span)?;
            if chosen.contains(&one) {
                self.error(
                    "duplicate-item",
                    item.span,
                    format!("`{one}` stands here twice"),
                    "remove one",
                );
                return None;
            }
            chosen.push(one);
        }
        // The table's order is the canonical one, so that equal sets are equal values.
        Some(Value::Words(
            words
                .iter()
                .filter(|word| chosen.contains(word))
                .copied()
                .collect(),
        ))
    }

    fn texts(
        &mut self,
        key: &'static Key,
        word: &Word,
        node: &Node,
        max: usize,
        what: Texts,
    ) -> Option<Value> {
        let items = self.items(word, node, "texts")?;
        if items.len() > max {
            let message = format!("`{}` has more than {max} items", key.path);
            self.error(
                "out-of-range",
                node.span,
                message,
                "match several with one pattern",
            );
            return None;
        }
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let text = self.plain(word, item, "texts")?;
            if let Some((message, help)) = refuse_text(&text, index, what) {
                self.error("bad-item", item.span, message, help);
                return None;
            }
            if what != Texts::Command && texts.contains(&text) {
                self.error(
                    "duplicate-item",
                    item.span,
                    format!("`{text}` stands here twice"),
                    "remove one",
                );
                return None;
            }
            texts.push(text);
        }
        if key.tighten == Tighten::More {
            texts.sort();
        }
        Some(Value::Texts(texts))
    }

    fn rates(&mut self, key: &Key, word: &Word, node: &Node, max: u32) -> Option<Value> {
        let single = std::slice::from_ref(node);
        let items = if let Shape::List(items) = &node.shape {
            items
        } else {
            single
        };
        let mut rates: Vec<Rate> = Vec::new();
        for item in items {
            let text = self.plain(word, item, "a rate as `10/1m`, a list of such, or `none`")?;
            if text == "none" && items.len() == 1 {
                return Some(Value::Rates(Vec::new()));
            }
            let rate = self.unit(units::rate(&text), item.span)?;
            self.within(
                key.path,
                rate.count,
                &(1..=max),
                ToString::to_string,
                item.span,
            )?;
            rates.push(rate);
        }
        if rates.is_empty() || rates.len() > 4 {
            let message = format!("`{}` takes one to four rates", word.text);
            self.error(
                "out-of-range",
                node.span,
                message,
                "write `none` for no such limit",
            );
            return None;
        }
        Some(Value::Rates(conjoin(&rates, &[])))
    }

    fn unit<T>(&mut self, read: Result<T, Wrong>, span: Span) -> Option<T> {
        read.map_err(|wrong| self.error("bad-unit", span, wrong.message, wrong.help))
            .ok()
    }

    fn within<T: Ord>(
        &mut self,
        name: &str,
        value: T,
        range: &RangeInclusive<T>,
        show: impl Fn(&T) -> String,
        span: Span,
    ) -> Option<T> {
        let (min, max) = (range.start(), range.end());
        let (word, bound) = if value < *min {
            ("below", show(min))
        } else if value > *max {
            ("above", show(max))
        } else {
            return Some(value);
        };
        let message = format!("`{name}`: {} is {word} {bound}", show(&value));
        let help = match name.split('.').nth(1) {
            Some("memory") if word == "below" => {
                format!(
                    "the interpreter itself needs {bound}; it would be killed before the code runs"
                )
            }
            _ => format!("values go from {} to {}", show(min), show(max)),
        };
        self.error("out-of-range", span, message, help);
        None
    }
}

fn refuse_text(text: &str, index: usize, what: Texts) -> Option<(String, String)> {
    if text.is_empty() || text.len() > 4096 || text.contains('\0') {
        return Some((
            "an empty or overlong text".to_owned(),
            "remove it".to_owned(),
        ));
    }
    match what {
        Texts::Globs => Pattern::parse(text, saferun_scanner::UsageKind::Path)
            .err()
            .map(|message| (message, "as in `build/**` or `*.tmp`".to_owned())),
        Texts::Folders if !text.starts_with('/') || text.split('/').any(|part| part == "..") => {
            Some((
                format!("`{text}` is not an absolute path"),
                "write it from `/` on, without `..`".to_owned(),
            ))
        }
        Texts::Command
            if index == 0 && (text.contains(' ') || text.contains(['|', ';', '&', '$'])) =>
        {
            Some((
                format!("`{text}` is a command line, not a program"),
                "no shell is used: write each argument as an item, as in `[notify-send, SafeRun]`"
                    .to_owned(),
            ))
        }
        _ => None,
    }
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "`true` or `false`",
        Kind::Count { .. } => "a whole number",
        Kind::Bytes { .. } => "a size as `256MiB`",
        Kind::Cpus { .. } => "a share of processors as `0.5` or `50%`",
        Kind::Time { .. } => "a duration as `30s`",
        Kind::Percent { .. } => "a percentage as `25%`",
        Kind::Action => "an action as `run` or `refuse`",
        Kind::Rates { .. } => "a rate as `10/1m`",
        Kind::Word(_) => "one word",
        Kind::Words(_) | Kind::Texts { .. } => "a list",
        Kind::Text { .. } => "a text",
    }
}
