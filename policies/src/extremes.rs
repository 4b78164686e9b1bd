//! Each key of the language at the ends of what it may say, from a project, from an agent and from a script without a
//! person, over each preset: none widens anything but what a script chooses of a limit, and what would have is told.

use crate::action::Action;
use crate::keys::{self, Key, Kind, Scope};
use crate::layer::{Content, Reach, Source};
use crate::load::load;
use crate::origin::LayerKind;
use crate::presets::preset_names;
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
        Kind::Rates { max } => {
            let loosest = format!("{max}/1s");
            words(&["none", "1/1d", loosest.as_str(), "1/1s,2/1d"])
        }
        Kind::Word(all) => words(all),
        Kind::Words(all) => all
            .iter()
            .map(|word| (*word).to_owned())
            .chain([all.join(",")])
            .collect(),
        Kind::Text { .. } | Kind::Texts { .. } => words(&["x", "**"]),
    }
}

/// Who speaks: the layer, what it may do, and what to call it.
type Who = (LayerKind, Reach, &'static str);

const OWNER: Who = (LayerKind::User, Reach::Replaces, "u");
const PROJECT: Who = (LayerKind::Project, Reach::Tightens, "a project");
const AGENT: Who = (LayerKind::Flags, Reach::Tightens, "an agent");
const SCRIPT: Who = (LayerKind::Flags, Reach::Chooses, "a script");

fn said((layer, reach, name): Who, key: &str, value: &str) -> Source {
    let content = Content::Setting {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    Source {
        layer,
        name: name.to_owned(),
        content,
        reach,
    }
}

/// What one word over a preset comes to.
fn tried(preset: &'static str, key: &'static Key, word: &str, who: Who) {
    let chosen = said(OWNER, "preset", preset);
    let before = load(std::slice::from_ref(&chosen)).expect("a preset");
    let what = format!("{}: {word} over {preset} by {}", key.path, who.2);
    let after = load(&[chosen, said(who, key.path, word)]);
    let after = match after {
        // What a script chooses may not fit together: then nothing runs.
        Err(_) if who.1 == Reach::Chooses && key.path == "limits.tmpfs.default" => return,
        after => after.unwrap_or_else(|error| panic!("{what}: {error}")),
    };
    for (path, old) in &before.policy.merged.values {
        let new = &after.policy.merged.values[path].value;
        let Some(one) = keys::find(path) else {
            continue;
        };
        if who.1 == Reach::Chooses
            && let Some(limit) = path.strip_suffix(".default")
            && let Some(max) = after
                .policy
                .merged
                .values
                .get(format!("{limit}.max").as_str())
        {
            let met = new.meet(&max.value, one.tighten, one.words());
            assert_eq!(met, *new, "{what} put {path} above the maximum");
            continue;
        }
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
    let chosen = who.1 == Reach::Chooses && key.path.ends_with(".default");
    if widens(old, key, word) && !chosen {
        assert!(told, "{what}: nobody is told: {:?}", after.warnings);
    }
}

/// Whether this word stands for something looser, or for something that the layer has no say in.
fn widens(old: &Value, key: &'static Key, word: &str) -> bool {
    let alone = said(OWNER, key.path, word);
    // A word that contradicts another limit of the default preset cannot be read alone.
    let Ok(read) = load(&[alone]) else {
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
                for who in [PROJECT, AGENT, SCRIPT] {
                    tried(preset, key, &word, who);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 1000, "only {count} were tried");
}
