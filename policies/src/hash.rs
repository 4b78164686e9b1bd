//! The content hash of a policy: equal for two policies that say the same, wherever their texts stand.

use sha2::{Digest, Sha256};

use crate::layer::RuleSetting;
use crate::merge::CodeLayer;
use crate::names::{Say, section};
use crate::policy::Policy;
use crate::value::Value;

impl Policy {
    /// A hash of everything that the policy says, without origins and descriptions: `sha256:` and 64 digits.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(b"saferun-policy 1\n");
        for (key, effective) in &self.merged.values {
            if *key != "description" {
                digest.update(format!("{key} {}\n", canonical(&effective.value)));
            }
        }
        for layer in &self.merged.stack {
            // The order of lines in one layer means nothing, the order of layers does.
            let mut lines = lists(layer);
            lines.sort();
            digest.update(lines.concat());
        }
        digest
            .finalize()
            .iter()
            .fold(String::from("sha256:"), |text, byte| {
                format!("{text}{byte:02x}")
            })
    }
}

/// Texts are quoted as in JSON, so that no value can pretend to be another line.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Texts(texts) => serde_json::Value::from(texts.clone()).to_string(),
        other => other.to_string(),
    }
}

fn lists(layer: &CodeLayer) -> Vec<String> {
    let how = if layer.tightens { "tighten" } else { "set" };
    let say = |say: Say| if say == Say::Allow { "allow" } else { "block" };
    let language = |language: Option<&'static str>| language.unwrap_or("any");
    let entries = layer.entries.iter().map(|entry| {
        let (list, own, pattern) = (
            section(entry.kind),
            language(entry.language),
            quoted(&entry.pattern.text),
        );
        format!("{how} {list} {own} {} {pattern}\n", say(entry.say))
    });
    let fallbacks = layer.fallbacks.iter().map(|line| {
        let (list, own) = (section(line.kind), language(line.language));
        format!("{how} {list} {own} default {}\n", say(line.say))
    });
    let rules = layer.rules.iter().map(|line| {
        let setting = match line.setting {
            RuleSetting::Off => "off",
            RuleSetting::Level(level) => level.as_str(),
        };
        format!("{how} rule {} {setting}\n", quoted(&line.rule))
    });
    let custom = layer.custom.iter().map(|rule| {
        let (list, pattern) = (section(rule.kind), quoted(&rule.pattern.text));
        format!(
            "{how} custom {} {list} {pattern} {} {}\n",
            rule.id,
            rule.level,
            quoted(&rule.message)
        )
    });
    entries
        .chain(fallbacks)
        .chain(rules)
        .chain(custom)
        .collect()
}
