//! The effective policy line by line, each with the place that set it: `policy show --origin`.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::diagnostic::clean;
use crate::layer::RuleSetting;
use crate::merge::{Fate, Step};
use crate::names::{Say, section};
use crate::origin::Origin;
use crate::policy::Policy;
use crate::rules;

/// One line of `policy show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Dotted path of the key.
    pub key: String,
    /// The effective value in the language's spelling.
    pub value: String,
    /// Where it was set.
    pub origin: Origin,
    /// Every layer that spoke of it, first to last.
    pub steps: Vec<Step>,
    /// Why nothing acts on it yet, if nothing does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_in_force: Option<String>,
}

impl Policy {
    /// Every effective value with its origin, in the order of the documentation; lists of names come last.
    #[must_use]
    pub fn show(&self) -> Vec<Shown> {
        let keys = crate::keys::all().iter().filter_map(|key| {
            let effective = self.merged.values.get(key.path)?;
            Some(Shown {
                key: key.path.to_owned(),
                value: effective.value.to_string(),
                origin: effective.origin.clone(),
                steps: effective.steps.clone(),
                not_in_force: crate::dormant::dormant(key.path).map(str::to_owned),
            })
        });
        let shown = |key: String, value: String, origin: &Origin| Shown {
            key,
            value,
            origin: origin.clone(),
            steps: Vec::new(),
            not_in_force: None,
        };
        let prefix = |language: Option<&str>| {
            language.map_or_else(String::new, |language| format!("languages.{language}."))
        };
        let lists = self.merged.stack.iter().flat_map(move |layer| {
            let say = |say: Say| if say == Say::Allow { "allow" } else { "block" };
            let fallbacks = layer.fallbacks.iter().map(move |line| {
                let key = format!("{}{}.default", prefix(line.language), section(line.kind));
                shown(key, say(line.say).to_owned(), &line.origin)
            });
            let entries = layer.entries.iter().map(move |line| {
                let key = format!(
                    "{}{}.{}",
                    prefix(line.language),
                    section(line.kind),
                    say(line.say)
                );
                shown(key, line.pattern.text.clone(), &line.origin)
            });
            let rules = layer.rules.iter().map(move |line| {
                let value = match line.setting {
                    RuleSetting::Off => "off",
                    RuleSetting::Level(level) => level.as_str(),
                };
                shown(
                    format!("rules.{}", rules::name(&line.rule)),
                    value.to_owned(),
                    &line.origin,
                )
            });
            let custom = layer.custom.iter().map(move |rule| {
                let value = format!(
                    "{} {} {}",
                    section(rule.kind),
                    rule.pattern.text,
                    rule.level
                );
                shown(format!("custom_rules.{}", rule.id), value, &rule.origin)
            });
            fallbacks.chain(entries).chain(rules).chain(custom)
        });
        keys.chain(lists).collect()
    }

    /// The same as text. With `origins` each line tells who set it, and what other layers said in vain.
    #[must_use]
    pub fn show_text(&self, origins: bool) -> String {
        let lines = self.show();
        let width = lines.iter().map(|line| line.key.len()).max().unwrap_or(0);
        let mut text = String::new();
        for line in &lines {
            let value = clean(&line.value);
            // Writing to a String cannot fail.
            let _ = if origins {
                writeln!(
                    text,
                    "{:width$}  {value:20}  {}",
                    line.key,
                    clean(&line.origin.to_string())
                )
            } else {
                writeln!(text, "{:width$}  {value}", line.key)
            };
            for step in line
                .steps
                .iter()
                .filter(|step| origins && step.fate == Fate::Ignored)
            {
                let (said, origin) = (clean(&step.said), clean(&step.origin.to_string()));
                let _ = writeln!(text, "{:width$}    ignored: {said}, asked by {origin}", "");
            }
        }
        text
    }
}
