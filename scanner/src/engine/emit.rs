//! Raising findings: one for each rule and place, at the highest level that was seen there.

use super::value::NameId;
use super::{Engine, MAX_USAGES, RawUsage};
use crate::syntax::ir::{NONE, Reg};
use crate::{Level, UsageKind};

/// Findings of one scan at most; a text that makes more is not read by anybody to its end.
const MAX_FINDINGS: usize = 5_000;

/// A finding by byte offsets.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) rule: u16,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) subject: NameId,
    /// The last step of the flow that leads here.
    pub(crate) step: Option<u32>,
    /// The run that raised it.
    pub(crate) tag: super::passes::Tag,
}

/// A finding in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Raise {
    pub(crate) level: Option<Level>,
    pub(crate) message: Option<String>,
    pub(crate) subject: Option<NameId>,
    pub(crate) arg: String,
    pub(crate) step: Option<u32>,
}

impl Engine {
    /// Range of an instruction in the module's text, and whether it stands in decoded code.
    pub(crate) fn range_of(&self, mut at: Reg) -> (u32, u32, bool) {
        let mut decoded = false;
        for _ in 0..16 {
            let unit = self.units.iter().rev().find(|unit| unit.first <= at);
            match unit.and_then(|unit| unit.origin) {
                Some(origin) => {
                    decoded = true;
                    at = origin;
                }
                None => break,
            }
        }
        let insn = self.program.insns.get(at as usize);
        let (start, end) = insn.map_or((0, 0), |insn| (insn.start, insn.end));
        (start, end, decoded)
    }

    pub(crate) fn raise(&mut self, id: &str, at: Reg, raise: Raise) {
        let number = self.catalog.rule(id);
        self.raise_number(number, at, raise);
    }

    pub(crate) fn raise_number(&mut self, number: u16, at: Reg, raise: Raise) {
        let rule = self.catalog.rules[usize::from(number)];
        let (start, end, decoded) = self.range_of(at);
        let subject = raise.subject.unwrap_or(NONE);
        let text = if let Some(text) = raise.message {
            text
        } else {
            let name = if subject == NONE {
                String::new()
            } else {
                self.display(subject)
            };
            rule.message
                .replace("{name}", &name)
                .replace("{arg}", &raise.arg)
        };
        let level = raise.level.unwrap_or(rule.level);
        let tag = self.passes.tag();
        if let Some(&known) = self.finding_index.get(&(number, start, end, tag)) {
            let finding = &mut self.findings[known];
            if finding.level < level {
                finding.level = level;
                finding.message = text;
                finding.step = raise.step.or(finding.step);
            }
            return;
        }
        if self.findings.len() >= MAX_FINDINGS && level < Level::High
            || self.findings.len() >= MAX_FINDINGS * 4 && level < Level::Blocked
            || self.findings.len() >= MAX_FINDINGS * 8
        {
            return;
        }
        let message = if decoded {
            format!("decoded code runs here: {text}")
        } else {
            text
        };
        self.finding_index
            .insert((number, start, end, tag), self.findings.len());
        self.findings.push(Raw {
            rule: number,
            level,
            message,
            start,
            end,
            subject,
            step: raise.step,
            tag,
        });
    }

    /// A name as it is shown: builtins without their module.
    pub(crate) fn display(&self, name: NameId) -> String {
        let text = self.names.text(&self.symbols, name);
        match text.strip_prefix("builtins.") {
            Some(short) => short.to_owned(),
            None => text,
        }
    }

    pub(crate) fn note_usage(&mut self, kind: UsageKind, name: NameId, at: Reg) {
        if self.usages.len() >= MAX_USAGES {
            return;
        }
        let (start, end) = if self.units.len() == 1 {
            let insn = self.program.insns[at as usize];
            (insn.start, insn.end)
        } else {
            let (start, end, _) = self.range_of(at);
            (start, end)
        };
        let usage = RawUsage {
            kind,
            name,
            start,
            end,
        };
        if self.usage_seen.insert(usage) {
            self.usages.push(usage);
        }
    }

    pub(crate) fn note_path(&mut self, path: &str, at: Reg) {
        if self.path_usages.len() >= MAX_USAGES {
            return;
        }
        let (start, end, _) = self.range_of(at);
        if !self
            .path_usages
            .iter()
            .rev()
            .take(8)
            .any(|(known, s, e)| *s == start && *e == end && **known == *path)
        {
            self.path_usages.push((path.into(), start, end));
        }
    }
}
