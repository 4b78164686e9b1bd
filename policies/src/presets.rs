//! The policies that are built in: `presets/*.yaml` beside the crate, each a layer over `default.yaml`.

use std::sync::OnceLock;

use crate::layer::{Layer, Source};
use crate::load::preset_merge;
use crate::origin::LayerKind;
use crate::policy::Policy;
use crate::read;

const FILES: [(&str, &str); 8] = [
    ("default", include_str!("../presets/default.yaml")),
    ("strict", include_str!("../presets/strict.yaml")),
    ("permissive", include_str!("../presets/permissive.yaml")),
    ("agent", include_str!("../presets/agent.yaml")),
    (
        "saferun-classic",
        include_str!("../presets/saferun-classic.yaml"),
    ),
    (
        "tutorial-hardened",
        include_str!("../presets/tutorial-hardened.yaml"),
    ),
    (
        "secure-sandbox",
        include_str!("../presets/secure-sandbox.yaml"),
    ),
    (
        "safe-executor",
        include_str!("../presets/safe-executor.yaml"),
    ),
];

const NAMES: [&str; FILES.len()] = {
    let mut names = [""; FILES.len()];
    let mut index = 0;
    while index < FILES.len() {
        names[index] = FILES[index].0;
        index += 1;
    }
    names
};

/// Names of the presets.
#[must_use]
pub fn preset_names() -> &'static [&'static str] {
    &NAMES
}

/// The policy of one preset, with no other layer.
#[must_use]
pub fn preset(name: &str) -> Option<Policy> {
    preset_text(name)?;
    Some(Policy::build(name.to_owned(), preset_merge(name)))
}

/// The text of one preset.
#[must_use]
pub fn preset_text(name: &str) -> Option<&'static str> {
    FILES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// The layers of a preset: `default`, which sets every key, and the preset itself.
pub(crate) fn layers(name: &str) -> Vec<Layer> {
    let names = if name == "default" {
        vec!["default"]
    } else {
        vec!["default", name]
    };
    let read = parsed();
    names
        .iter()
        .filter_map(|name| read.iter().find(|layer| layer.file == *name))
        .cloned()
        .collect()
}

/// Every preset, read once: a load for each run would otherwise read the same text again.
fn parsed() -> &'static [Layer] {
    static PARSED: OnceLock<Vec<Layer>> = OnceLock::new();
    PARSED.get_or_init(|| {
        FILES
            .iter()
            .map(|(name, text)| {
                let source = Source::yaml(LayerKind::Preset, *name, *text);
                read::read(&source).0
            })
            .collect()
    })
}

/// How a preset that a layer names is called where it only tightens.
pub(crate) fn named_in(name: &str, by: &Layer) -> String {
    format!("preset {name} (named in {})", by.file)
}

/// A preset as a layer that only tightens, for a project or a script that names it.
pub(crate) fn tightening(name: &str, by: &Layer) -> Layer {
    let mut joined: Option<Layer> = None;
    for layer in layers(name) {
        match &mut joined {
            None => joined = Some(layer),
            Some(joined) => {
                joined.values.extend(layer.values);
                joined.entries.extend(layer.entries);
                joined.fallbacks.extend(layer.fallbacks);
                joined.rules.extend(layer.rules);
                joined.custom.extend(layer.custom);
            }
        }
    }
    let mut layer = joined.unwrap_or_else(|| by.clone());
    layer.kind = by.kind;
    layer.file = named_in(name, by);
    layer.text = String::new();
    layer.tighten_only = true;
    layer.chooses_limits = false;
    layer.tests = Vec::new();
    layer.values.retain(|path, _| {
        crate::keys::find(path).is_some_and(|key| key.tighten != crate::value::Tighten::Never)
    });
    let (kind, file) = (layer.kind, layer.file.clone());
    let rename = |origin: &mut crate::origin::Origin| {
        origin.layer = kind;
        origin.file.clone_from(&file);
    };
    layer
        .values
        .values_mut()
        .for_each(|set| rename(&mut set.origin));
    layer
        .entries
        .iter_mut()
        .for_each(|entry| rename(&mut entry.origin));
    layer
        .fallbacks
        .iter_mut()
        .for_each(|fallback| rename(&mut fallback.origin));
    layer
        .rules
        .iter_mut()
        .for_each(|line| rename(&mut line.origin));
    layer
        .custom
        .iter_mut()
        .for_each(|rule| rename(&mut rule.origin));
    layer
}
