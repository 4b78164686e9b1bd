//! Values that are fine one by one and cannot hold together, found after the merge, each at the line that is at fault.

use crate::diagnostic::{Diagnostic, Severity};
use crate::keys;
use crate::layer::Layer;
use crate::merge::{Effective, Merged, place};
use crate::value::{Tighten, Value};

/// Every contradiction in the merged values.
pub(crate) fn find(merged: &Merged, layers: &[Layer]) -> Vec<Diagnostic> {
    let mut search = Search {
        merged,
        layers,
        found: Vec::new(),
    };
    search.defaults_above_maxima();
    search.overrides();
    search.levels();
    search.memory();
    search.ages();
    search.folders();
    search.found
}

struct Search<'a> {
    merged: &'a Merged,
    layers: &'a [Layer],
    found: Vec<Diagnostic>,
}

impl<'a> Search<'a> {
    fn get(&self, path: &str) -> Option<&'a Effective> {
        self.merged.values.get(path)
    }

    fn report(&mut self, severity: Severity, at: &Effective, message: String, help: String) {
        let Some(layer) = self.layers.get(at.layer) else {
            return;
        };
        let mut found = Diagnostic::new(
            severity,
            "contradiction",
            message,
            Some(help),
            &place(layer),
            at.span,
        );
        found.origin.file.clone_from(&at.origin.file);
        self.found.push(found);
    }

    fn defaults_above_maxima(&mut self) {
        for key in keys::all() {
            let Some(limit) = key.path.strip_suffix(".default") else {
                continue;
            };
            let (Some(default), Some(max)) =
                (self.get(key.path), self.get(&format!("{limit}.max")))
            else {
                continue;
            };
            if default.value.meet(&max.value, Tighten::Lower, &[]) == default.value {
                continue;
            }
            let message = format!(
                "`{limit}.default` is {}, above its maximum of {}",
                default.value, max.value
            );
            let help = format!(
                "the maximum is set by {}: raise `{limit}.max`, or lower the default",
                max.origin
            );
            self.report(Severity::Error, default, message, help);
        }
    }

    fn overrides(&mut self) {
        let (Some(allowed), Some(unattended), Some(who)) = (
            self.get("override.allowed"),
            self.get("override.unattended"),
            self.get("override.who"),
        ) else {
            return;
        };
        let off = allowed.value == Value::Bool(false);
        // Between files it is none: whoever lets scripts speak may be under a preset that takes no override.
        if off && unattended.value == Value::Bool(true) && allowed.layer == unattended.layer {
            let help = format!("`override.allowed: false` is set by {}", allowed.origin);
            let message = "an override that is not allowed cannot be unattended".to_owned();
            self.report(Severity::Error, unattended, message, help);
        }
        if !off && who.value == Value::Words(Vec::new()) && !self.tightened(who) {
            let help = "name who may, or say `override: {allowed: false}`".to_owned();
            let message = "an override is allowed, and nobody may use it".to_owned();
            self.report(Severity::Error, who, message, help);
        }
    }

    fn tightened(&self, effective: &Effective) -> bool {
        self.layers
            .get(effective.layer)
            .is_some_and(|layer| layer.tighten_only)
    }

    /// In one file, a lower level that is treated more strictly than a higher one is a slip of the pen.
    /// Between files the merge lifts the higher one.
    fn levels(&mut self) {
        let keys = [
            "levels.LOW",
            "levels.MEDIUM",
            "levels.HIGH",
            "levels.BLOCKED",
        ];
        for pair in keys.windows(2) {
            let (Some(low), Some(high)) = (self.get(pair[0]), self.get(pair[1])) else {
                continue;
            };
            let lifted = high.value.meet(&low.value, Tighten::Join, &[]);
            if lifted != high.value {
                let message = format!(
                    "`{}: {}` is stricter than `{}: {}`",
                    pair[0], low.value, pair[1], high.value
                );
                let help = format!("`{}` is set by {}", pair[1], high.origin);
                let severity = if self.tightened(low) {
                    Severity::Warning
                } else {
                    Severity::Error
                };
                self.report(severity, low, message, help);
            }
        }
    }

    /// Files in memory count against the memory limit.
    fn memory(&mut self) {
        let (Some(tmpfs), Some(memory)) = (
            self.get("limits.tmpfs.default"),
            self.get("limits.memory.max"),
        ) else {
            return;
        };
        if let (Value::Bytes(files), Value::Bytes(most)) = (&tmpfs.value, &memory.value)
            && files > most
        {
            let message =
                format!("a folder of {files} does not fit into {most} of memory, where it is kept");
            let help = format!("`limits.memory.max` is set by {}", memory.origin);
            let severity = if self.tightened(tmpfs) || self.tightened(memory) {
                Severity::Warning
            } else {
                Severity::Error
            };
            self.report(severity, tmpfs, message, help);
        }
    }

    fn ages(&mut self) {
        let (Some(warn), Some(refuse)) = (self.get("image.warn_age"), self.get("image.refuse_age"))
        else {
            return;
        };
        if let (Value::Time(first), Value::Time(last)) = (&warn.value, &refuse.value)
            && first > last
        {
            let message = format!(
                "images warn at {} and are refused before, at {}",
                warn.value, refuse.value
            );
            let help = format!("`image.refuse_age` is set by {}", refuse.origin);
            self.report(Severity::Warning, warn, message, help);
        }
    }

    /// The script itself stands in a folder that can be written to.
    fn folders(&mut self) {
        let Some(writable) = self.get("filesystem.writable") else {
            return;
        };
        if writable.value == Value::Words(Vec::new()) {
            let message =
                "no folder can be written to, so there is no place for the script".to_owned();
            let help = "leave one of tmp, workspace, out and home, best `tmp`".to_owned();
            let severity = if self.tightened(writable) {
                Severity::Warning
            } else {
                Severity::Error
            };
            self.report(severity, writable, message, help);
        }
    }
}
