//! The rules that `rules` may speak of: the scanner's catalogue, by id or name, and the custom rules of every layer.
//! No load goes without it, so that a misspelt rule is never a line without effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use saferun_scanner::{Rule, explained_rules};

use crate::diagnostic::{Diagnostic, Severity, nearest};
use crate::layer::Layer;
use crate::merge::{locate, place};

/// Unknown rules that are told of one file.
const MAX_UNKNOWN: usize = 20;

/// Every rule of the scanner by its id and by its name, in lower case.
fn catalogue() -> &'static BTreeMap<String, &'static Rule> {
    static CATALOGUE: OnceLock<BTreeMap<String, &'static Rule>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        explained_rules()
            .flat_map(|rule| [(rule.id, rule), (rule.name, rule)])
            .map(|(word, rule)| (word.to_lowercase(), rule))
            .collect()
    })
}

/// The scanner's rule with this id or name, in small or capital letters.
pub(crate) fn find(word: &str) -> Option<&'static Rule> {
    catalogue().get(&word.to_lowercase()).copied()
}

/// The one key of a rule, whichever way it is called: its id for the scanner's, in lower case.
pub(crate) fn key(word: &str) -> String {
    find(word).map_or(word, |rule| rule.id).to_lowercase()
}

/// The name of the rule with this key, for a person.
pub(crate) fn name(key: &str) -> &str {
    find(key).map_or(key, |rule| rule.name)
}

/// Names of the scanner's rules, in the order of the catalogue.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    explained_rules().map(|rule| rule.name)
}

/// An error for each line of `rules` that speaks of no rule at all. `beside` are layers whose custom rules count.
pub(crate) fn unknown(layers: &[Layer], beside: &[Layer]) -> Vec<Diagnostic> {
    let custom: BTreeSet<&str> = layers
        .iter()
        .chain(beside)
        .flat_map(|layer| &layer.custom_ids)
        .map(String::as_str)
        .collect();
    let mut found = Vec::new();
    for layer in layers {
        let lines = layer.rules.iter();
        let unknown =
            lines.filter(|line| find(&line.rule).is_none() && !custom.contains(line.rule.as_str()));
        for line in unknown.take(MAX_UNKNOWN) {
            let known = explained_rules().flat_map(|rule| [rule.name, rule.id]);
            let help = nearest(
                &line.rule,
                known
                    .map(|known| -> &str { known })
                    .chain(custom.iter().copied()),
            )
            .map_or_else(
                || "`saferunctl explain` lists the rules".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            found.push(Diagnostic::new(
                Severity::Error,
                "unknown-rule",
                format!("there is no rule `{}`", line.rule),
                Some(help),
                &place(layer),
                locate(&layer.text, &line.origin),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_name_of_a_rule_are_one_key() {
        for rule in explained_rules() {
            assert_eq!(key(rule.id), key(rule.name), "{}", rule.id);
            assert_eq!(key(&rule.name.to_uppercase()), rule.id.to_lowercase());
            assert_eq!(name(&key(rule.id)), rule.name);
        }
        assert_eq!(key("No-Such-Rule"), "no-such-rule");
        // No word means two rules.
        assert_eq!(catalogue().len(), 2 * explained_rules().count());
    }
}
