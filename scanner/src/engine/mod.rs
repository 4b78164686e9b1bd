//! The abstract interpreter: runs the linear program over what can be known of values, a few passes at most, and
//! raises findings. Owns all state of one scan; knows neither files nor how findings are shown.

mod attr;
pub(crate) mod call;
mod command;
mod decoder;
mod dynamic;
mod effect;
mod emit;
mod flow;
mod fold;
mod invoke;
mod item;
mod judge;
mod judge_code;
mod judge_loop;
mod judge_whole;
mod method;
mod names;
mod operate;
mod passes;
mod path;
mod place;
mod protocol;
mod rich;
mod run;
mod scope;
mod spawn;
mod special;
mod special_library;
mod special_object;
mod special_path;
mod special_sequence;
mod special_text;
mod step;
pub(crate) mod value;

/// Functions that the effects table names.
pub(crate) mod special_functions {
    pub(crate) use super::special::*;
    pub(crate) use super::special_library::*;
    pub(crate) use super::special_object::*;
    pub(crate) use super::special_path::*;
    pub(crate) use super::special_sequence::*;
    pub(crate) use super::special_text::*;
}

use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

pub(crate) use emit::Raw;
use names::Names;
use scope::{Scope, ScopeId, Slot, SlotId};
use step::StepData;
use value::{NameId, Value};

use crate::rules::catalog::Catalog;
use crate::syntax::ir::{ClassId, FuncId, Program, Reg, Sym};
use crate::syntax::symbols::Symbols;
use crate::syntax::{Lowered, lower};
use crate::{CancelFlag, UsageKind};

/// Passes over the program at most; each after the first runs only the functions that had asked for something of
/// which more was learned since.
const MAX_PASSES: u8 = 5;
/// Decoded code inside decoded code is followed this deep.
const MAX_DEPTH: u8 = 4;
/// Names that are reported for policies.
const MAX_USAGES: usize = 20_000;

/// A text that belongs to the scan: the module, or code that was decoded from it.
#[derive(Debug)]
pub(crate) struct Unit {
    /// First instruction of the unit.
    first: Reg,
    /// Where the decoded code was run, as instruction; `None` for the module itself.
    origin: Option<Reg>,
    depth: u8,
    body: (Reg, Reg),
}

/// A use of a name, by byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RawUsage {
    pub(crate) kind: UsageKind,
    pub(crate) name: NameId,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// State of one scan.
pub(crate) struct Engine {
    pub(crate) program: Program,
    pub(crate) symbols: Symbols,
    pub(crate) names: Names,
    catalog: &'static Catalog,
    vals: Vec<Value>,
    scopes: Vec<Scope>,
    slots: Vec<Slot>,
    func_scopes: FxHashMap<FuncId, ScopeId>,
    class_scopes: FxHashMap<ClassId, ScopeId>,
    class_bases: FxHashMap<ClassId, Rc<[Value]>>,
    class_keywords: FxHashMap<ClassId, Vec<(Sym, Value)>>,
    /// Attributes that were stored in objects of a class, in order.
    class_attrs: FxHashMap<ClassId, Vec<Sym>>,
    /// Classes whose objects somebody has looked at as a whole.
    watched: FxHashMap<ClassId, passes::Askers>,
    /// Classes that a call makes, by the call.
    made_classes: FxHashMap<Reg, ClassId>,
    /// Functions that are called without the object that they were found in.
    statics: FxHashSet<FuncId>,
    /// What other functions store into a variable, through `global` and `nonlocal`.
    foreign: FxHashMap<SlotId, Value>,
    func_class: FxHashMap<FuncId, ClassId>,
    returns: FxHashMap<FuncId, SlotId>,
    /// Functions that have returned something unknown in their current run.
    open_returns: FxHashSet<FuncId>,
    /// Whether a function is one that makes text of constants, once somebody asked.
    decoders: FxHashMap<FuncId, bool>,
    /// Decoders whose calls are being run.
    decoding: Vec<FuncId>,
    attrs: FxHashMap<(ClassId, Sym), SlotId>,
    paths: FxHashMap<(SlotId, Sym), SlotId>,
    overrides: FxHashMap<(NameId, Sym), SlotId>,
    partials: Vec<call::Partial>,
    bounds: Vec<(Value, Sym)>,
    /// Entries of the two tables by the place that made them, so that each pass makes the same ones again.
    made_at: FxHashMap<(Reg, u32, bool), u32>,
    /// How many entries each place has made in this pass.
    made_count: FxHashMap<Reg, u32>,
    /// Who called the entries of the two tables.
    entry_askers: FxHashMap<(bool, u32), passes::Askers>,
    /// Attributes that somebody looked for and did not find.
    missed: FxHashMap<Sym, passes::Askers>,
    /// The running instruction.
    here: Reg,
    scope: ScopeId,
    class: Option<ClassId>,
    class_stack: Vec<Option<ClassId>>,
    func: Option<FuncId>,
    branches: u32,
    loops: u32,
    nest: u32,
    queue: VecDeque<(FuncId, ScopeId)>,
    queued: FxHashSet<FuncId>,
    passes: passes::Passes,
    comps: Vec<run::Comp>,
    steps: Vec<StepData>,
    findings: Vec<Raw>,
    finding_index: FxHashMap<(u16, u32, u32, passes::Tag), usize>,
    usages: Vec<RawUsage>,
    usage_seen: FxHashSet<RawUsage>,
    path_usages: Vec<(Rc<str>, u32, u32)>,
    units: Vec<Unit>,
    decoded: FxHashSet<(Reg, Rc<str>)>,
    /// Files that were written with what the network sent.
    downloads: Vec<(String, value::Taint, passes::Tag)>,
    /// Texts that were written to files, in order, by the normalised path.
    written: Vec<(String, Rc<str>, passes::Tag)>,
    /// Calls of programs that print secrets, with what they print.
    printed: FxHashMap<Reg, value::Label>,
    /// Files that were written with what somebody else must not see.
    kept: Vec<(String, value::Taint, passes::Tag)>,
    /// Names of the secret variables that were read, by the place.
    secret_names: FxHashMap<Reg, String>,
    /// Threads and processes that run a function of the code, with who started them.
    pub(crate) spawned: Vec<spawn::Spawned>,
    /// The working folder, where the code has changed it to a known one.
    pub(crate) working: Option<String>,
    /// Loops around the running instruction that cannot end, by begin and end.
    endless: Vec<(Reg, Reg)>,
    budget: u64,
    fold_budget: u64,
    /// Instructions that loops over constants may still run, element by element.
    round_budget: u64,
    pass: u8,
    pub(crate) stopped: bool,
    cancelled: Option<CancelFlag>,
}

impl Engine {
    pub(crate) fn new(max_steps: u64, cancelled: Option<CancelFlag>) -> Self {
        Self {
            program: Program::default(),
            symbols: Symbols::new(),
            names: Names::new(),
            catalog: Catalog::get(),
            vals: Vec::new(),
            scopes: Vec::new(),
            slots: Vec::new(),
            func_scopes: FxHashMap::default(),
            class_scopes: FxHashMap::default(),
            class_bases: FxHashMap::default(),
            class_keywords: FxHashMap::default(),
            class_attrs: FxHashMap::default(),
            watched: FxHashMap::default(),
            made_classes: FxHashMap::default(),
            statics: FxHashSet::default(),
            foreign: FxHashMap::default(),
            func_class: FxHashMap::default(),
            returns: FxHashMap::default(),
            open_returns: FxHashSet::default(),
            decoders: FxHashMap::default(),
            decoding: Vec::new(),
            attrs: FxHashMap::default(),
            paths: FxHashMap::default(),
            overrides: FxHashMap::default(),
            partials: Vec::new(),
            bounds: Vec::new(),
            made_at: FxHashMap::default(),
            made_count: FxHashMap::default(),
            entry_askers: FxHashMap::default(),
            missed: FxHashMap::default(),
            here: 0,
            scope: 0,
            class: None,
            class_stack: Vec::new(),
            func: None,
            branches: 0,
            loops: 0,
            nest: 0,
            queue: VecDeque::new(),
            queued: FxHashSet::default(),
            passes: passes::Passes::default(),
            comps: Vec::new(),
            steps: Vec::new(),
            findings: Vec::new(),
            finding_index: FxHashMap::default(),
            usages: Vec::new(),
            usage_seen: FxHashSet::default(),
            path_usages: Vec::new(),
            units: Vec::new(),
            decoded: FxHashSet::default(),
            downloads: Vec::new(),
            written: Vec::new(),
            printed: FxHashMap::default(),
            kept: Vec::new(),
            secret_names: FxHashMap::default(),
            spawned: Vec::new(),
            working: None,
            endless: Vec::new(),
            budget: max_steps,
            fold_budget: max_steps / 4,
            round_budget: max_steps / 50,
            pass: 0,
            stopped: false,
            cancelled,
        }
    }

    /// Lowers the module's tree and runs it to the end of its passes or of the budget.
    pub(crate) fn analyse(&mut self, tree: &tree_sitter::Tree, source: &str) -> Lowered {
        let lowered = lower(
            tree,
            source,
            &mut self.program,
            &mut self.symbols,
            self.budget,
            self.cancelled.as_ref(),
        );
        self.spend(lowered.steps / 4);
        self.stopped |= lowered.stopped;
        self.vals.resize(self.program.insns.len(), Value::Unknown);
        self.units.push(Unit {
            first: 0,
            origin: None,
            depth: 0,
            body: lowered.body,
        });
        let module = self.new_scope(scope::ScopeKind::Module, None);
        debug_assert_eq!(module, 0);
        for pass in 0..MAX_PASSES {
            self.begin_pass(pass);
            self.run_pass();
            if !self.passes.more() || self.stopped {
                break;
            }
        }
        self.after_passes();
        lowered
    }

    fn enter_frame(&mut self, scope: ScopeId, func: Option<FuncId>, class: Option<ClassId>) {
        self.scope = scope;
        self.func = func;
        self.class = class;
        self.branches = 0;
        self.loops = 0;
        self.nest = 0;
        self.comps.clear();
        self.class_stack.clear();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled
            .as_ref()
            .is_some_and(CancelFlag::is_cancelled)
    }

    /// The entry of a table that the running instruction makes: the same one as in the pass before.
    fn made_here(&mut self, bound: bool, next: usize) -> u32 {
        let count = self.made_count.entry(self.here).or_insert(0);
        *count += 1;
        let next = u32::try_from(next).unwrap_or(0);
        *self
            .made_at
            .entry((self.here, *count, bound))
            .or_insert(next)
    }

    /// Takes steps from the budget; false when it is spent or nobody wants the report any more.
    fn spend(&mut self, steps: u64) -> bool {
        if self.budget < steps || self.is_cancelled() {
            self.budget = 0;
            self.stopped = true;
            return false;
        }
        self.budget -= steps;
        true
    }

    /// Takes work of folding from the budget; false when folding has to stop, which leaves values unknown and so
    /// never makes code look safer than it is.
    fn spend_fold(&mut self, bytes: usize) -> bool {
        let cost = 1 + (bytes as u64) / 16;
        if self.fold_budget < cost {
            self.fold_budget = 0;
            return false;
        }
        self.fold_budget -= cost;
        self.spend(cost / 4)
    }

    /// Takes one round of a loop over constants from its budget; false when the rest of the loop has to be judged at
    /// once, over what its elements have in common.
    fn spend_round(&mut self, insns: Reg) -> bool {
        let cost = 1 + u64::from(insns);
        if self.round_budget < cost {
            return false;
        }
        self.round_budget -= cost;
        self.spend_fold(insns as usize) && !self.stopped
    }

    pub(crate) fn findings(&self) -> &[Raw] {
        &self.findings
    }

    pub(crate) fn usages(&self) -> &[RawUsage] {
        &self.usages
    }

    pub(crate) fn path_usages(&self) -> &[(Rc<str>, u32, u32)] {
        &self.path_usages
    }

    /// Sorts nothing out of what was found; a place for rules over the whole module.
    fn after_passes(&mut self) {
        self.judge_whole();
    }
}
