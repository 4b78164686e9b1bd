//! Layers as they would be after a change that a person can make by hand: something said in a file, a line taken out,
//! another preset chosen. `explain` tries its advice on them; nothing here touches a file.

use crate::diagnostic::Diagnostic;
use crate::layer::{Layer, Reach, RuleSetting, Source};
use crate::origin::{LayerKind, Origin};
use crate::read;
use crate::rules;

/// How the layer of `--policy NAME` is called.
const POLICY_FLAG: &str = "--policy";

/// Where a person may say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the user's own file.
    Own,
    /// In the file that is given with `--policy`, which may do this much.
    File(Reach),
}

impl Place {
    const fn kind(self) -> LayerKind {
        match self {
            Self::Own => LayerKind::User,
            Self::File(_) => LayerKind::Flags,
        }
    }

    /// The last layer that is this file, if there is one.
    fn find(self, layers: &[Layer]) -> Option<usize> {
        let kind = self.kind();
        layers
            .iter()
            .rposition(|layer| layer.kind == kind && (self == Self::Own || !layer.text.is_empty()))
    }
}

/// The layers with `text`, a few keys of the language, in this file. Nothing where the file would contradict itself,
/// or may not say it.
pub(crate) fn said(layers: &[Layer], place: Place, text: &str) -> Option<Vec<Layer>> {
    let mut layers = layers.to_vec();
    let at = place.find(&layers);
    let reach = match (at.and_then(|at| layers.get(at)), place) {
        (Some(layer), _) if layer.chooses_limits => Reach::Chooses,
        (Some(layer), _) if layer.tighten_only => Reach::Tightens,
        (None, Place::File(reach)) => reach,
        _ => Reach::Replaces,
    };
    let source = Source {
        reach,
        ..Source::yaml(place.kind(), "advice", format!("version: 1\n{text}\n"))
    };
    let (added, found) = read::read(&source);
    if found.iter().any(Diagnostic::is_error) {
        return None;
    }
    if let Some(at) = at {
        add(layers.get_mut(at)?, added)?;
    } else {
        // `--policy` is given once: a file takes the place of a name.
        layers.retain(|layer| place == Place::Own || !names_a_preset(layer));
        let after = layers
            .iter()
            .rposition(|layer| layer.kind <= place.kind())
            .map_or(0, |at| at + 1);
        layers.insert(after, added);
    }
    Some(layers)
}

/// The line of this file that speaks of a rule, by whatever name.
pub(crate) fn line_on(layers: &[Layer], place: Place, rule: &str) -> Option<u32> {
    let layer = layers.get(place.find(layers)?)?;
    let key = rules::key(rule);
    let line = layer.rules.iter().find(|line| line.rule == key)?;
    Some(line.origin.line)
}

/// Adds what one text says to what another of the same file says; a value or a level is replaced.
fn add(layer: &mut Layer, added: Layer) -> Option<()> {
    layer.values.extend(added.values);
    for entry in added.entries {
        let same = layer.entries.iter().find(|other| {
            (other.kind, other.language, &other.pattern)
                == (entry.kind, entry.language, &entry.pattern)
        });
        match same {
            Some(other) if other.say != entry.say => return None,
            Some(_) => {}
            None => layer.entries.push(entry),
        }
    }
    for line in added.rules {
        let blocked = |rule: &crate::layer::CustomRule| {
            rule.id == line.rule && rule.level == saferun_scanner::Level::Blocked
        };
        if line.setting == RuleSetting::Off && layer.custom.iter().any(blocked) {
            return None;
        }
        layer.rules.retain(|other| other.rule != line.rule);
        layer.rules.push(line);
    }
    Some(())
}

/// The layers without what stands at this place; nothing where no layer says it, as for a built-in preset.
pub(crate) fn without(layers: &[Layer], origin: &Origin) -> Option<Vec<Layer>> {
    let mut layers = layers.to_vec();
    let layer = layers
        .iter_mut()
        .find(|layer| layer.kind == origin.layer && layer.names(origin))?;
    if layer.file != origin.file {
        layer.preset = None;
        return Some(layers);
    }
    layer.values.retain(|_, set| set.origin != *origin);
    layer.entries.retain(|entry| entry.origin != *origin);
    layer.fallbacks.retain(|line| line.origin != *origin);
    layer.rules.retain(|line| line.origin != *origin);
    layer.custom.retain(|rule| rule.origin != *origin);
    Some(layers)
}

/// The layers under `--policy NAME`, said by whoever may do this much.
pub(crate) fn under(layers: &[Layer], preset: &str, reach: Reach) -> Vec<Layer> {
    let mut layers = layers.to_vec();
    layers.retain(|layer| {
        !names_a_preset(layer) && (layer.kind != LayerKind::Flags || layer.text.is_empty())
    });
    let source = Source {
        reach,
        ..Source::flag(POLICY_FLAG, "preset", preset)
    };
    layers.push(read::read(&source).0);
    layers
}

/// Whether the layer is the name of a preset on the command line.
fn names_a_preset(layer: &Layer) -> bool {
    layer.kind == LayerKind::Flags && layer.text.is_empty() && layer.preset.is_some()
}

impl Layer {
    /// Whether something with this origin comes from the layer, or from the preset that it names.
    fn names(&self, origin: &Origin) -> bool {
        self.file == origin.file
            || self
                .preset
                .as_ref()
                .is_some_and(|(name, _)| origin.file == crate::presets::named_in(name, self))
    }
}
