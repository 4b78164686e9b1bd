//! Brings the texts of all layers together into one policy, or into every reason why there is none.

use saferun_scanner::UsageKind;

use crate::contradictions;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use crate::dormant;
use crate::layer::{Content, Expectation, Layer, Reach, Source};
use crate::merge::{self, Merged};
use crate::origin::LayerKind;
use crate::policy::Policy;
use crate::presets;
use crate::read;
use crate::rules;

/// A policy with what was odd about its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The effective policy.
    pub policy: Policy,
    /// Lines that had no effect, and the like.
    pub warnings: Vec<Diagnostic>,
    /// The `tests` of all layers.
    pub tests: Vec<Expectation>,
    /// The layers as they were read, without the preset's, to try changes on.
    pub(crate) layers: Vec<Layer>,
}

/// Patterns over paths in all layers: each is compiled, and each constant path of the code compared with it.
const MAX_PATHS: usize = 4000;

/// Loads a policy from its layers, in any order; the preset comes by itself.
///
/// # Errors
/// Every error of every layer, with the warnings. The caller keeps the policy that it had.
pub fn load(sources: &[Source]) -> Result<Loaded, Diagnostics> {
    let (layers, found) = read_all(sources);
    together(layers, found, &[])
}

/// Every text as a layer, in the order in which they apply, with what is wrong in each.
fn read_all(sources: &[Source]) -> (Vec<Layer>, Vec<Diagnostic>) {
    let mut sources: Vec<&Source> = sources.iter().collect();
    sources.sort_by_key(|source| source.layer);
    let mut found = Vec::new();
    let mut layers = Vec::new();
    for source in sources {
        let (layer, diagnostics) = read::read(source);
        found.extend(diagnostics);
        found.extend(dormant::warnings(&layer));
        layers.push(layer);
    }
    (layers, found)
}

/// What layers come to. `beside` are layers that do not count here, but whose custom rules may be spoken of.
pub(crate) fn together(
    layers: Vec<Layer>,
    mut found: Vec<Diagnostic>,
    beside: &[Layer],
) -> Result<Loaded, Diagnostics> {
    found.extend(rules::unknown(&layers, beside));
    let base = base_preset(&layers);
    let mut stack = presets::layers(&base);
    for layer in layers.clone() {
        if let (Some((name, span)), true) = (&layer.preset, layer.tighten_only) {
            let same = *name == base;
            // A script that names the preset that stands asks for nothing else.
            if (*name == "permissive" || same) && !(same && layer.chooses_limits) {
                let message = format!(
                    "`preset: {name}` has no effect: `{base}` stands, and {} only tightens",
                    merge::who(&layer)
                );
                let help = layer
                    .chooses_limits
                    .then(|| merge::way_out(&layer).to_owned());
                let place = Place {
                    layer: layer.kind,
                    file: &layer.file,
                    text: &layer.text,
                };
                found.push(Diagnostic::new(
                    Severity::Warning,
                    "widening",
                    message,
                    help,
                    &place,
                    *span,
                ));
            }
            stack.push(presets::tightening(name, &layer));
        }
        stack.push(layer);
    }
    found.extend(too_many_paths(&stack));
    let (merged, warnings) = merge::merge(&stack);
    found.extend(warnings);
    // On top of broken layers a contradiction would be an echo.
    if !found.iter().any(Diagnostic::is_error) {
        found.extend(contradictions::find(&merged, &stack));
    }
    if found.iter().any(Diagnostic::is_error) {
        found.sort_by_key(|diagnostic| !diagnostic.is_error());
        return Err(Diagnostics(found));
    }
    let tests = stack.iter().flat_map(|layer| layer.tests.clone()).collect();
    Ok(Loaded {
        policy: Policy::build(base, merged),
        warnings: found,
        tests,
        layers,
    })
}

/// An error at the first pattern over paths for which there is no room.
fn too_many_paths(layers: &[Layer]) -> Option<Diagnostic> {
    let mut places = layers.iter().flat_map(|layer| {
        let entries = layer
            .entries
            .iter()
            .map(|entry| (entry.kind, &entry.origin));
        let custom = layer.custom.iter().map(|rule| (rule.kind, &rule.origin));
        entries
            .chain(custom)
            .filter(|(kind, _)| *kind == UsageKind::Path)
            .map(move |(_, origin)| (layer, origin))
    });
    let (layer, origin) = places.nth(MAX_PATHS)?;
    Some(Diagnostic::new(
        Severity::Error,
        "too-many",
        format!("more than {MAX_PATHS} patterns over paths in all layers together"),
        Some("match several paths with one pattern".to_owned()),
        &merge::place(layer),
        merge::locate(&layer.text, origin),
    ))
}

/// Checks one file by itself, over the `default` preset: what an editor shows.
#[must_use]
pub fn check(source: &Source) -> Vec<Diagnostic> {
    check_beside(source, &[])
}

/// Checks one file by itself, and lets it speak of the custom rules of others: what `policy check FILE` shows.
#[must_use]
pub fn check_beside(source: &Source, others: &[Source]) -> Vec<Diagnostic> {
    let (layers, found) = read_all(std::slice::from_ref(source));
    match together(layers, found, &read_all(others).0) {
        Ok(loaded) => loaded.warnings,
        Err(Diagnostics(found)) => found,
    }
}

/// The last trusted layer that names a preset decides.
fn base_preset(layers: &[Layer]) -> String {
    layers
        .iter()
        .rev()
        .filter(|layer| !layer.tighten_only)
        .find_map(|layer| layer.preset.as_ref())
        .map_or_else(|| "default".to_owned(), |(name, _)| name.clone())
}

/// The merge of a shipped preset, which has no errors (tested).
pub(crate) fn preset_merge(name: &str) -> Merged {
    merge::merge(&presets::layers(name)).0
}

impl Source {
    /// One `SAFERUN_*` variable as a layer, or nothing if the variable belongs to another part.
    ///
    /// `SAFERUN_POLICY` names the preset; any other key is its path in capitals with `_` for `.`
    /// (`SAFERUN_LIMITS_MEMORY_MAX=1GiB`); lists are parted by commas.
    #[must_use]
    pub fn variable(name: &str, value: &str) -> Option<Self> {
        let rest = name.strip_prefix("SAFERUN_")?.to_lowercase();
        let key = if rest == "policy" {
            "preset".to_owned()
        } else {
            crate::keys::from_variable(&rest)?
        };
        Some(Self::settings(LayerKind::Environment, name, &key, value))
    }

    /// One setting of the command line: `--set limits.memory.max=1GiB` has the name `--set` and that key.
    #[must_use]
    pub fn flag(name: &str, key: &str, value: &str) -> Self {
        Self::settings(LayerKind::Flags, name, key, value)
    }

    fn settings(layer: LayerKind, name: &str, key: &str, value: &str) -> Self {
        Self {
            layer,
            name: name.to_owned(),
            content: Content::Setting {
                key: key.to_owned(),
                value: value.to_owned(),
            },
            reach: Reach::Replaces,
        }
    }
}
