//! Lays layers over one another: a trusted layer replaces, a project layer only tightens.
//! Each value remembers every layer that spoke of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::keys::{self, Key};
use crate::layer::{CustomRule, Layer, RuleLine, RuleSetting, Set};
use crate::names::{Entry, Fallback, Say, section};
use crate::origin::{LayerKind, Origin};
use crate::rules;
use crate::value::{Met, Tighten, Value};
use crate::yaml::Span;

/// What became of one layer's word on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It set the value.
    Set,
    /// It made the value tighter.
    Tightened,
    /// It would have widened the value and was ignored.
    Ignored,
    /// The maximum stands below the default and took its place.
    Capped,
}

/// One layer's word on a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who spoke.
    pub origin: Origin,
    /// What was said, in the language's spelling.
    pub said: String,
    /// What became of it.
    pub fate: Fate,
}

/// An effective value with its history, oldest step first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
    pub(crate) span: Span,
    /// Index of the layer that decided.
    pub(crate) layer: usize,
    pub(crate) steps: Vec<Step>,
}

/// The lists of one layer, in the order in which they apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeLayer {
    pub(crate) tightens: bool,
    pub(crate) entries: Vec<Entry>,
    pub(crate) fallbacks: Vec<Fallback>,
    pub(crate) rules: Vec<RuleLine>,
    pub(crate) custom: Vec<CustomRule>,
}

/// All layers together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Merged {
    pub(crate) values: BTreeMap<&'static str, Effective>,
    pub(crate) stack: Vec<CodeLayer>,
}

/// Merges layers in their order; the warnings name each word of a project that had no effect.
pub(crate) fn merge(layers: &[Layer]) -> (Merged, Vec<Diagnostic>) {
    let mut merged = Merged::default();
    let mut warnings = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        for (path, set) in &layer.values {
            let Some(key) = keys::find(path) else {
                continue;
            };
            merged.bring(key, set, index, layer, &mut warnings);
        }
        if layer.tighten_only {
            idle_lists(layer, &mut warnings);
        }
        merged.stack.push(CodeLayer {
            tightens: layer.tighten_only,
            entries: layer.entries.clone(),
            fallbacks: layer.fallbacks.clone(),
            rules: layer.rules.clone(),
            custom: layer.custom.clone(),
        });
    }
    merged.cap_defaults(layers, &mut warnings);
    merged.lift_levels();
    (merged, warnings)
}

impl Merged {
    fn bring(
        &mut self,
        key: &'static Key,
        set: &Set,
        index: usize,
        layer: &Layer,
        warnings: &mut Vec<Diagnostic>,
    ) {
        if layer.tighten_only && key.path == "description" {
            return;
        }
        let step = |fate| Step {
            origin: set.origin.clone(),
            said: set.value.to_string(),
            fate,
        };
        let Some(stands) = self.values.get_mut(key.path) else {
            // Only the first preset meets an empty table: it sets every key.
            let effective = Effective {
                value: set.value.clone(),
                origin: set.origin.clone(),
                span: set.span,
                layer: index,
                steps: vec![step(Fate::Set)],
            };
            self.values.insert(key.path, effective);
            return;
        };
        let (value, fate) = if layer.tighten_only && !(layer.chooses_limits && choice(key)) {
            match stands
                .value
                .tightened_by(&set.value, key.tighten, key.words())
            {
                Met::Same => return,
                Met::Tightened(value) => (value, Fate::Tightened),
                Met::Widens(value) => {
                    // The text of a preset that a project names is not the project's mistake.
                    if own_words(layer, &set.origin) {
                        warnings.push(widening(key, stands, set, layer));
                    }
                    stands.steps.push(step(Fate::Ignored));
                    if value == stands.value {
                        return;
                    }
                    (value, Fate::Tightened)
                }
            }
        } else {
            (set.value.clone(), Fate::Set)
        };
        stands.value = value;
        stands.origin = set.origin.clone();
        stands.span = set.span;
        stands.layer = index;
        stands.steps.push(step(fate));
    }

    /// A level is never treated more mildly than the one below it: `HIGH: refuse` lifts BLOCKED with it.
    fn lift_levels(&mut self) {
        for pair in [
            "levels.LOW",
            "levels.MEDIUM",
            "levels.HIGH",
            "levels.BLOCKED",
        ]
        .windows(2)
        {
            let Some(below) = self.values.get(pair[0]).cloned() else {
                continue;
            };
            let Some(stands) = self.values.get_mut(pair[1]) else {
                continue;
            };
            let lifted = stands.value.meet(&below.value, Tighten::Join, &[]);
            // In one file it is a contradiction, which is reported as such.
            if lifted != stands.value && stands.layer != below.layer {
                let said = lifted.to_string();
                stands.value = lifted;
                stands.steps.push(Step {
                    origin: below.origin.clone(),
                    said,
                    fate: Fate::Tightened,
                });
                stands.origin = below.origin;
                stands.layer = below.layer;
                stands.span = below.span;
            }
        }
    }

    /// A default above a maximum that a later layer lowered comes down with it.
    fn cap_defaults(&mut self, layers: &[Layer], warnings: &mut Vec<Diagnostic>) {
        let tightens = |index: usize| layers.get(index).is_some_and(|layer| layer.tighten_only);
        let halves: Vec<_> = self
            .values
            .keys()
            .filter_map(|path| {
                let key = keys::find(&format!("{}.max", path.strip_suffix(".default")?))?;
                Some((*path, key))
            })
            .collect();
        for (default, max) in halves {
            let Some(max) = self.values.get(max.path).cloned() else {
                continue;
            };
            let Some(stands) = self.values.get_mut(default) else {
                continue;
            };
            let met = stands.value.meet(&max.value, Tighten::Lower, &[]);
            // In one file, or where a trusted layer raised the default, it is a contradiction, reported as such.
            let lowered = stands.layer < max.layer
                || (stands.layer != max.layer && (tightens(stands.layer) || tightens(max.layer)));
            if met != stands.value && lowered {
                let said = met.to_string();
                if let Some(layer) = layers.get(stands.layer)
                    && layer.chooses_limits
                    && own_words(layer, &stands.origin)
                {
                    warnings.push(above(default, stands, &max, layer));
                }
                stands.value = met;
                stands.steps.push(Step {
                    origin: max.origin.clone(),
                    said,
                    fate: Fate::Capped,
                });
                stands.origin = max.origin;
                stands.layer = max.layer;
                stands.span = max.span;
            }
        }
    }
}

pub(crate) fn place(layer: &Layer) -> Place<'_> {
    Place {
        layer: layer.kind,
        file: &layer.file,
        text: &layer.text,
    }
}

/// Whether a key is what a run gets of a limit that has a maximum beside it.
fn choice(key: &Key) -> bool {
    key.path
        .strip_suffix(".default")
        .is_some_and(|limit| keys::find(&format!("{limit}.max")).is_some())
}

/// Whether the layer said this itself, and not a preset that it names.
fn own_words(layer: &Layer, origin: &Origin) -> bool {
    !layer.text.is_empty() || origin.line == 0
}

/// Who only tightens, as a sentence begins.
pub(crate) fn who(layer: &Layer) -> String {
    if layer.kind == LayerKind::Project {
        "a project".to_owned()
    } else if layer.chooses_limits {
        "a run without a person".to_owned()
    } else {
        format!("this {} layer", layer.kind)
    }
}

/// What makes such a word hold.
pub(crate) fn way_out(layer: &Layer) -> &'static str {
    if layer.chooses_limits {
        "put it into your user policy, or say `override: {unattended: true}` there: then scripts may say it"
    } else {
        "put it into your user policy"
    }
}

fn above(default: &str, stands: &Effective, max: &Effective, layer: &Layer) -> Diagnostic {
    let message = format!(
        "`{default}: {}` is above the maximum of {}, which holds: {} only tightens",
        stands.value,
        max.value,
        who(layer)
    );
    let help = Some(format!("the maximum is set by {}", max.origin));
    let mut found = Diagnostic::new(
        Severity::Warning,
        "widening",
        message,
        help,
        &place(layer),
        stands.span,
    );
    found.origin = stands.origin.clone();
    found
}

fn widening(key: &Key, stands: &Effective, set: &Set, layer: &Layer) -> Diagnostic {
    let who = who(layer);
    let (message, help) = if key.tighten == Tighten::Never {
        (
            format!("`{}` has no effect: {who} has no say in it", key.path),
            way_out(layer).to_owned(),
        )
    } else {
        (
            format!(
                "`{}: {}` would widen the policy and is ignored: {who} only tightens",
                key.path, set.value
            ),
            if layer.chooses_limits {
                format!(
                    "`{}` stands, set by {}; {}",
                    stands.value,
                    stands.origin,
                    way_out(layer)
                )
            } else {
                format!("`{}` stands, set by {}", stands.value, stands.origin)
            },
        )
    };
    let mut found = Diagnostic::new(
        Severity::Warning,
        "widening",
        message,
        Some(help),
        &place(layer),
        set.span,
    );
    found.origin = set.origin.clone();
    if set.span != Span::default() {
        found.origin.line = set.span.line;
        found.origin.column = set.span.column;
    }
    found
}

/// Lines of lists that can do nothing in a layer that only tightens.
fn idle_lists(layer: &Layer, warnings: &mut Vec<Diagnostic>) {
    let who = who(layer);
    let mut warn = |origin: &Origin, message: String, help: &str| {
        let span = locate(&layer.text, origin);
        let help = Some(help.to_owned());
        warnings.push(Diagnostic::new(
            Severity::Warning,
            "widening",
            message,
            help,
            &place(layer),
            span,
        ));
    };
    for entry in layer.entries.iter().filter(|entry| entry.say == Say::Allow) {
        let narrows = layer
            .entries
            .iter()
            .any(|other| other.say == Say::Block && other.kind == entry.kind)
            || layer
                .fallbacks
                .iter()
                .any(|other| other.say == Say::Block && other.kind == entry.kind);
        if !narrows {
            let list = section(entry.kind);
            warn(
                &entry.origin,
                format!(
                    "allowing `{}` in `{list}` has no effect: {who} only tightens",
                    entry.pattern.text
                ),
                "an `allow` here makes exceptions to this file's own `block` or `default: block`",
            );
        }
    }
    for fallback in layer
        .fallbacks
        .iter()
        .filter(|fallback| fallback.say == Say::Allow)
    {
        let message = format!(
            "`{}.default: allow` has no effect: {who} only tightens",
            section(fallback.kind)
        );
        warn(&fallback.origin, message, way_out(layer));
    }
    for line in layer
        .rules
        .iter()
        .filter(|line| line.setting == RuleSetting::Off)
    {
        let message = format!(
            "switching `{}` off has no effect: {who} only tightens",
            rules::name(&line.rule)
        );
        warn(&line.origin, message, way_out(layer));
    }
}

/// The span of one word at an origin, for a caret.
pub(crate) fn locate(text: &str, origin: &Origin) -> Span {
    let mut start = 0;
    let mut lines = text.split_inclusive('\n');
    for line in lines.by_ref().take(origin.line.saturating_sub(1) as usize) {
        start += line.len();
    }
    let rest = text.get(start..).unwrap_or_default();
    start += rest
        .chars()
        .take(origin.column.saturating_sub(1) as usize)
        .map(char::len_utf8)
        .sum::<usize>();
    let word = text.get(start..).unwrap_or_default();
    let end = start
        + word
            .find([' ', '\n', ',', ']', '}', ':'])
            .unwrap_or(word.len());
    Span {
        line: origin.line,
        column: origin.column,
        start,
        end,
    }
}
