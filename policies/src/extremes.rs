//! Each key of the language at the ends of what it may say, from a project and from an agent, over each preset: none
//! widens anything, and what would have is told.

use crate::action::Action;
use crate::keys::{self, Key, Kind, Scope};
use crate::layer::{Content, Source};
use crate::load::load;
use crate::origin::LayerKind;
use crate::presets::preset_names;
use crate::read::LoadOptions;
use crate::value::{Met, Tighten, Value};

/// The loosest and the tightest that a key can be told, in the language's spelling.
fn extremes(kind: Kind) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match kind {
        Kind::Bool => words(&["true", "false"]),
        Kind::Count { min, max } => vec![min.to_string(), max.to_string()],
        Kind::Bytes { min, max } => vec![format!("{}B", min.0), format!("{}B", max.0)],
        Kind::Cpus { min, max } => vec![min.to_string(), max.to_string()],
        Kind::Time { min, max } => vec![format!("{min}ms"), format!("{max}ms")],
        Kind::Percent { max } => vec!["0%".to_owned(), format!("{max}%")],
        Kind::Action => words(&Action::WORDS.map(|(word, _)| word)),
        Kind::Rates => words(&["none", "1/1d", "1000000/1s", "1/1s,2/1d"]),
        Kind::Word(all) => words(all),
        Kind::Words(all) => all
            .iter()
            .map(|word| (*word).to_owned())
            .chain([all.join(",")])
            .collect(),
        Kind::Text { .. } | Kind::Texts { .. } => words(&["x", "**"]),
    }
}

fn said(layer: LayerKind, name: &str, key: &str, value: &str) -> Source {
    let content = Content::Setting {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    Source {
        layer,
        name: name.to_owned(),
        content,
        tighten_only: layer != LayerKind::User,
    }
}

/// What one word over a preset comes to.
fn tried(preset: &'static str, key: &'static Key, word: &str, who: (LayerKind, &str)) {
    let chosen = said(LayerKind::User, "u", "preset", preset);
    let options = LoadOptions::default();
    let before = load(std::slice::from_ref(&chosen), &options).expect("a preset");
    let what = format!("{}: {word} over {preset} by {}", key.path, who.1);
    let after = load(&[chosen, said(who.0, who.1, key.path, word)], &options);
    let after = after.unwrap_or_else(|error| panic!("{what}: {error}"));
    for (path, old) in &before.policy.merged.values {
        let new = &after.policy.merged.values[path].value;
        let Some(one) = keys::find(path) else {
            continue;
        };
        let wanted = if one.tighten == Tighten::Never {
            old.value.clone()
        } else {
            old.value.meet(new, one.tighten, one.words())
        };
        assert_eq!(wanted, *new, "{what} widened {path}");
    }
    let old = &before.policy.merged.values[key.path].value;
    let told = after.warnings.iter().any(|warning| {
        warning.code == "widening" && warning.message.contains(&format!("`{}", key.path))
    });
    if widens(old, key, word) {
        assert!(told, "{what}: nobody is told: {:?}", after.warnings);
    }
}

/// Whether this word stands for something looser, or for something that the layer has no say in.
fn widens(old: &Value, key: &'static Key, word: &str) -> bool {
    let alone = said(LayerKind::User, "u", key.path, word);
    // A word that contradicts another limit of the default preset cannot be read alone.
    let Ok(read) = load(&[alone], &LoadOptions::default()) else {
        return false;
    };
    let new = &read.policy.merged.values[key.path].value;
    match key.tighten {
        Tighten::Never => new != old,
        tighten => matches!(old.tightened_by(new, tighten, key.words()), Met::Widens(_)),
    }
}

#[test]
fn no_end_of_any_key_widens_a_preset() {
    let mut count = 0;
    // A description is no limit: each file has its own, and nobody need be told.
    let said = |key: &&Key| key.scope == Scope::Any && key.path != "description";
    for key in keys::all().iter().filter(said) {
        for word in extremes(key.kind) {
            for preset in preset_names() {
                tried(preset, key, &word, (LayerKind::Project, "a project"));
                tried(preset, key, &word, (LayerKind::Flags, "an agent"));
                count += 2;
            }
        }
    }
    assert!(count > 1000, "only {count} were tried");
}
