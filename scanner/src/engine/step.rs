//! Steps of flows: where tainted data came from and how it travelled, kept as short chains that findings show.

use super::Engine;
use super::value::{Label, Taint, Taints, Value};
use crate::syntax::ir::{Reg, Sym};

/// Longest chain that is kept; the source and the last places matter most.
const MAX_STEPS: u8 = 10;
/// Steps of one scan at most; later ones are left out of the chains.
const MAX_TABLE: usize = 200_000;

#[derive(Debug, Clone, Copy)]
pub(crate) enum StepKind {
    Source(&'static str),
    Assign(Sym),
    Param(Sym),
    Return(Sym),
    Attribute(Sym),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct StepData {
    pub(crate) kind: StepKind,
    pub(crate) at: Reg,
    prev: Option<u32>,
    length: u8,
}

impl Engine {
    pub(crate) fn source_taint(&mut self, label: Label, what: &'static str, at: Reg) -> Taint {
        let step = self.push_step(StepData {
            kind: StepKind::Source(what),
            at,
            prev: None,
            length: 1,
        });
        Taint { label, step }
    }

    fn push_step(&mut self, step: StepData) -> u32 {
        if self.steps.len() >= MAX_TABLE {
            return step.prev.unwrap_or(0);
        }
        self.steps.push(step);
        u32::try_from(self.steps.len() - 1).unwrap_or(0)
    }

    /// The value with one more step on each of its chains.
    pub(crate) fn travelled(&mut self, value: &Value, kind: StepKind, at: Reg) -> Value {
        let taints = value.taints();
        if taints.is_empty() {
            return value.clone();
        }
        let mut moved = Taints::new();
        for taint in taints {
            let before = self.steps.get(taint.step as usize).copied();
            let step = match before {
                Some(before) if before.length < MAX_STEPS && before.at != at => {
                    self.push_step(StepData {
                        kind,
                        at,
                        prev: Some(taint.step),
                        length: before.length + 1,
                    })
                }
                _ => taint.step,
            };
            moved.push(Taint {
                label: taint.label,
                step,
            });
        }
        value.set_taints(moved)
    }

    /// The chain that ends with this step, the source first.
    pub(crate) fn chain(&self, last: u32) -> Vec<StepData> {
        let mut chain = Vec::new();
        let mut at = Some(last);
        while let Some(index) = at {
            let Some(step) = self.steps.get(index as usize) else {
                break;
            };
            chain.push(*step);
            at = step.prev;
            if chain.len() > usize::from(MAX_STEPS) + 1 {
                break;
            }
        }
        chain.reverse();
        chain
    }

    pub(crate) fn step_text(&self, step: &StepData) -> String {
        match step.kind {
            StepKind::Source(what) => what.to_owned(),
            StepKind::Assign(name) => format!("assigned to `{}`", self.symbols.text(name)),
            StepKind::Param(name) => format!("passed as `{}`", self.symbols.text(name)),
            StepKind::Return(name) => format!("returned by `{}`", self.symbols.text(name)),
            StepKind::Attribute(name) => format!("kept in `.{}`", self.symbols.text(name)),
        }
    }
}
