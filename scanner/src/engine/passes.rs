//! Passes: the module and each function are run once, and again when something that they asked for turned out to be
//! more than they were told. What a run has raised and noted counts until the same function is run again.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::Engine;
use super::scope::{ScopeId, SlotId};
use crate::syntax::ir::{FuncId, NONE, Sym};

/// Functions that one variable is remembered for; when more ask for it, its growth calls for all of them.
const MAX_ASKERS: usize = 64;

/// A run of a function (`NONE` is the module), by its number.
pub(crate) type Tag = (FuncId, u32);

/// Who asked for a variable.
#[derive(Debug, Default)]
pub(crate) struct Askers {
    who: SmallVec<[FuncId; 2]>,
    many: bool,
}

impl Askers {
    pub(crate) fn add(&mut self, who: FuncId) {
        if self.many || self.who.contains(&who) {
            return;
        }
        if self.who.len() < MAX_ASKERS {
            self.who.push(who);
        } else {
            self.many = true;
        }
    }
}

/// Which functions have to run, and which run is the current one of each.
#[derive(Debug, Default)]
pub(crate) struct Passes {
    /// Functions in the order in which they were first met.
    known: Vec<(FuncId, ScopeId)>,
    runs: FxHashMap<FuncId, u32>,
    ran_in: FxHashMap<FuncId, u8>,
    dirty: FxHashSet<FuncId>,
    /// Everything has to run again.
    all: bool,
    run_all: bool,
    /// What is running, and the number of the run.
    running: Option<Tag>,
}

impl Passes {
    /// Whether somebody has to run again.
    pub(crate) fn more(&self) -> bool {
        self.all || !self.dirty.is_empty()
    }

    pub(crate) fn tag(&self) -> Tag {
        self.running.unwrap_or((NONE, 0))
    }

    pub(crate) fn runner(&self) -> FuncId {
        self.tag().0
    }

    /// Whether what a run has left behind still counts.
    pub(crate) fn counts(&self, tag: Tag) -> bool {
        self.runs.get(&tag.0).copied().unwrap_or(0) == tag.1
    }

    /// More was learned of something that these asked for.
    pub(crate) fn call_for(&mut self, askers: &Askers) {
        self.all |= askers.many;
        self.dirty.extend(askers.who.iter().copied());
    }

    /// The same, of something that whoever runs now will look at again in this run.
    pub(crate) fn call_for_others(&mut self, askers: &Askers) {
        let runner = self.runner();
        self.all |= askers.many;
        self.dirty
            .extend(askers.who.iter().copied().filter(|who| *who != runner));
    }

    /// A function stored something into a variable of this one.
    pub(crate) fn call_for_owner(&mut self, owner: FuncId) {
        self.dirty.insert(owner);
    }

    /// More was learned of something for which nobody is remembered.
    pub(crate) fn call_for_all(&mut self) {
        self.all = true;
    }

    fn begin(&mut self) {
        self.run_all = self.all;
        self.all = false;
    }

    fn has_to_run(&self, func: FuncId, pass: u8) -> bool {
        match self.ran_in.get(&func) {
            None => true,
            Some(ran) => *ran != pass && (self.run_all || self.dirty.contains(&func)),
        }
    }

    fn begin_run(&mut self, func: FuncId, pass: u8) {
        self.dirty.remove(&func);
        self.ran_in.insert(func, pass);
        let number = self.runs.entry(func).or_insert(0);
        *number += 1;
        self.running = Some((func, *number));
    }
}

impl Engine {
    pub(super) fn begin_pass(&mut self, pass: u8) {
        self.pass = pass;
        self.queued.clear();
        self.queue.clear();
        // Decoded code is decoded anew: what it is may have become clearer.
        self.decoded.clear();
        self.made_count.clear();
        for slot in &mut self.slots {
            slot.begin_pass();
        }
        self.passes.begin();
        if pass > 0 {
            self.drop_outdated();
        }
    }

    pub(super) fn run_pass(&mut self) {
        if self.passes.has_to_run(NONE, self.pass) {
            self.passes.begin_run(NONE, self.pass);
            self.working = None;
            let (from, to) = self.units[0].body;
            self.enter_frame(0, None, None);
            self.run(from, to);
        }
        let mut next = 0;
        while !self.stopped {
            let (func, scope) = if let Some(defined) = self.queue.pop_front() {
                if !self.passes.ran_in.contains_key(&defined.0) {
                    self.passes.known.push(defined);
                }
                defined
            } else if let Some(known) = self.passes.known.get(next) {
                // Its definition stands in a function that does not run again.
                next += 1;
                *known
            } else {
                break;
            };
            if self.passes.has_to_run(func, self.pass) {
                self.passes.begin_run(func, self.pass);
                self.open_returns.remove(&func);
                self.run_function(func, scope);
            }
        }
    }

    /// Somebody looks for an attribute that is not there.
    pub(crate) fn miss(&mut self, name: Sym) {
        let runner = self.passes.runner();
        self.missed.entry(name).or_default().add(runner);
    }

    /// An attribute is there now that was looked for before.
    pub(crate) fn found_after(&mut self, name: Sym) {
        if let Some(askers) = self.missed.get(&name) {
            self.passes.call_for(askers);
        }
    }

    /// Somebody calls an entry of the table of bound methods, or of the table of partial calls.
    pub(crate) fn asks_entry(&mut self, bound: bool, id: u32) {
        let runner = self.passes.runner();
        self.entry_askers
            .entry((bound, id))
            .or_default()
            .add(runner);
    }

    /// An entry of one of the two tables became more.
    pub(crate) fn entry_grew(&mut self, bound: bool, id: u32) {
        if let Some(askers) = self.entry_askers.get(&(bound, id)) {
            self.passes.call_for_others(askers);
        }
    }

    /// Somebody learns what a variable ever held, and is told when that becomes more.
    pub(crate) fn asks(&mut self, slot: SlotId) {
        let runner = self.passes.runner();
        self.slots[slot as usize].askers.add(runner);
    }

    /// Forgets what runs have left behind that were repeated since.
    fn drop_outdated(&mut self) {
        let passes = &self.passes;
        self.findings.retain(|raw| passes.counts(raw.tag));
        self.downloads.retain(|(_, _, tag)| passes.counts(*tag));
        self.kept.retain(|(_, _, tag)| passes.counts(*tag));
        self.written.retain(|(_, _, tag)| passes.counts(*tag));
        self.spawned.retain(|one| passes.counts(one.tag));
        self.finding_index.clear();
        for (index, raw) in self.findings.iter().enumerate() {
            self.finding_index
                .insert((raw.rule, raw.start, raw.end, raw.tag), index);
        }
    }

    /// Keeps of all findings those of the last run of each function, the highest of each place.
    pub(super) fn settle_findings(&mut self) {
        let found = std::mem::take(&mut self.findings);
        self.finding_index.clear();
        let tag = (NONE, self.passes.runs.get(&NONE).copied().unwrap_or(0));
        self.passes.running = Some(tag);
        for raw in found {
            if !self.passes.counts(raw.tag) {
                continue;
            }
            let key = (raw.rule, raw.start, raw.end, tag);
            match self.finding_index.get(&key) {
                Some(&known) if self.findings[known].level >= raw.level => {}
                Some(&known) => self.findings[known] = raw,
                None => {
                    self.finding_index.insert(key, self.findings.len());
                    self.findings.push(raw);
                }
            }
        }
    }
}
