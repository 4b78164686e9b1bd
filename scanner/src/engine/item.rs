//! Items: loading, storing and deleting them, in containers, namespaces and objects of the scanned code.

use super::Engine;
use super::call::Call;
use super::fold::slice;
use super::names::ROOT;
use super::value::{Const, NameId, Ref, Value, either_of, gather};
use crate::syntax::ir::{NONE, Op, Reg};
use crate::syntax::symbols::sym;

impl Engine {
    pub(crate) fn load_item(&mut self, at: Reg, object: Reg, index: Reg) -> Value {
        let whole = self.val(object);
        if whole.is_unknown() {
            return Value::Unknown;
        }
        if let Op::Slice(start, stop, step) = self.program.insns[index as usize].op {
            return self.load_slice(&whole, [start, stop, step]);
        }
        let key = self.val(index);
        self.item_at(at, &whole, &key)
    }

    fn load_slice(&mut self, whole: &Value, parts: [Reg; 3]) -> Value {
        let mut known = [None; 3];
        for (part, reg) in known.iter_mut().zip(parts) {
            if reg == NONE {
                continue;
            }
            let value = self.val(reg);
            match value.exact() {
                Some(Const::None) => {}
                _ => match value.as_int() {
                    Some(number) => *part = Some(number),
                    None => return Value::Unknown.with_taints(&whole.taints()),
                },
            }
        }
        let size = whole.items().map_or_else(
            || whole.exact().map_or(1, super::operate::const_size),
            |items| items.len(),
        );
        if !self.spend_fold(size) {
            return Value::Unknown.with_taints(&whole.taints());
        }
        slice::take(whole, known[0], known[1], known[2].unwrap_or(1))
            .unwrap_or_default()
            .with_taints(&whole.taints())
    }

    /// `whole[key]`.
    pub(crate) fn item_at(&mut self, at: Reg, whole: &Value, key: &Value) -> Value {
        let out = self.item_of_refs(at, whole, key);
        // One variable is not the environment: what it is was said where it was looked up.
        let single = whole
            .refs()
            .iter()
            .any(|one| matches!(one, Ref::Name(id) if self.in_environment(*id)));
        if single {
            return out.unwrap_or_default();
        }
        let taints = gather([whole, key].into_iter());
        // Items that were added at places that are not known may be at any place.
        let beside = whole
            .rich()
            .map(|rich| rich.element.clone())
            .filter(|element| !element.is_unknown());
        let with_beside = |found: &Value| match &beside {
            Some(element) => found.join(element),
            None => found.clone(),
        };
        if let Some(out) = out
            && (!out.is_unknown() || whole.rich().is_none())
        {
            return out.with_taints(&taints);
        }
        if let (Some(pairs), Some(wanted)) = (whole.pairs(), key.exact()) {
            let mut found: Option<Value> = None;
            for (known, value) in pairs.iter() {
                if known.exact() == Some(wanted) {
                    // A later store wins, but may not happen: both are possible.
                    found = Some(either_of(found, value));
                }
            }
            if let Some(found) = found {
                if found.is_spelled_out() {
                    return with_beside(&found).with_taints(&whole.taints());
                }
                return with_beside(&found).with_taints(&taints);
            }
        }
        if let Some(pairs) = whole.pairs() {
            let any = pairs
                .iter()
                .take(64)
                .fold(None::<Value>, |all, (_, value)| Some(either_of(all, value)));
            let any = match (any, &beside) {
                (Some(any), _) => with_beside(&any),
                (None, Some(element)) => element.clone(),
                (None, None) => Value::Unknown,
            };
            // Which of the texts that the code itself lists is picked is all that the key decides.
            let listed = !pairs.is_empty() && pairs.iter().all(|(_, value)| value.is_spelled_out());
            if listed {
                return any.with_taints(&whole.taints());
            }
            return any.with_taints(&taints);
        }
        if let Some(index) = key.as_int() {
            if let Some(items) = whole.items() {
                let at = if index < 0 {
                    i64::try_from(items.len()).unwrap_or(0) + index
                } else {
                    index
                };
                let item = usize::try_from(at).ok().and_then(|at| items.get(at));
                if let Some(item) = item {
                    return with_beside(item).with_taints(&taints);
                }
            }
            if let Some(Const::Bytes(bytes)) = whole.exact() {
                let picked = slice::indices(bytes.len(), Some(index), None, 1);
                return picked
                    .first()
                    .map_or(Value::Unknown, |at| Value::int(i64::from(bytes[*at])))
                    .with_taints(&taints);
            }
            if whole.exact().is_some() {
                // `-1` has no successor to end at.
                let stop = if index == -1 { None } else { Some(index + 1) };
                return slice::take(whole, Some(index), stop, 1)
                    .unwrap_or_default()
                    .with_taints(&taints);
            }
        }
        self.element_of(whole).with_taints(&taints)
    }

    /// The item of whatever a value refers to.
    fn item_of_refs(&mut self, at: Reg, whole: &Value, key: &Value) -> Option<Value> {
        let mut out: Option<Value> = None;
        for one in whole.refs() {
            let found = match one {
                Ref::Name(id) => self.name_item(at, id, key),
                Ref::Dict(id) => {
                    if let Some(text) = key.as_str() {
                        let name = self.symbols.intern(text);
                        self.name_attr_used(at, id, name)
                    } else {
                        self.judge_unknown_attr(at, id);
                        Value::Unknown
                    }
                }
                Ref::Globals => match key.as_str() {
                    Some("__builtins__") => {
                        self.judge_dunder(at, &Value::Unknown, sym::DUNDER_BUILTINS);
                        self.module_value(sym::BUILTINS)
                    }
                    Some(text) => {
                        let name = self.symbols.intern(text);
                        self.load_name(name)
                    }
                    None => Value::Unknown,
                },
                Ref::Class(_) => {
                    let value = Value::Ref(one);
                    // `Box[int]` is the class, with types that nobody checks.
                    self.implicit(at, &value, "__class_getitem__", &[key])
                        .unwrap_or(value)
                }
                Ref::Instance(class) => {
                    self.implicit(at, &Value::Ref(one), "__missing__", &[key]);
                    let method = self.instance_attr(class, sym::GETITEM);
                    let mut call = Call::bare(at);
                    call.pos.push(key.clone());
                    self.call_value(&method, call)
                }
                _ => Value::Unknown,
            };
            out = Some(match out {
                Some(known) => known.join(&found),
                None => found,
            });
        }
        out
    }

    /// Whether a name is `os.environ`, or something of it.
    fn in_environment(&self, id: NameId) -> bool {
        let mut at = id;
        while at != ROOT && at != NONE {
            let name = self.names.get(at);
            if matches!(self.symbols.text(name.last), "environ" | "environb") {
                return name.parent != NONE
                    && self.symbols.text(self.names.get(name.parent).last) == "os";
            }
            at = name.parent;
        }
        false
    }

    fn name_item(&mut self, at: Reg, id: NameId, key: &Value) -> Value {
        let text = self.names.text(&self.symbols, id);
        match text.as_str() {
            "sys.modules" => match key.as_str() {
                Some(module) => {
                    let module = module.to_owned();
                    if module == "__main__" {
                        return Value::Ref(Ref::Dict(ROOT));
                    }
                    self.named(&module)
                }
                None => Value::Unknown,
            },
            "builtins" => {
                if let Some(name) = key.as_str() {
                    let name = self.symbols.intern(name);
                    self.name_attr_used(at, id, name)
                } else {
                    self.judge_unknown_attr(at, id);
                    Value::Unknown
                }
            }
            "os.environ" | "os.environb" => self.environment(at, key),
            // The first word of the command line is the program itself.
            "sys.argv" if key.as_int() == Some(0) => Value::str("__file__"),
            _ => self
                .names
                .child(&mut self.symbols, id, sym::ITEM)
                .filter(|found| self.names.get(*found).node != NONE)
                .map_or(Value::Unknown, |found| Value::Ref(Ref::Name(found))),
        }
    }

    pub(crate) fn store_item(&mut self, at: Reg, object: Reg, index: Reg, reg: Reg) {
        let target = self.val(object);
        let key = self.val(index);
        let value = self.val(reg);
        if let Some(name) = key.as_str() {
            let special = target
                .refs()
                .iter()
                .any(|one| matches!(one, Ref::Globals | Ref::Dict(_) | Ref::Name(_)));
            if special {
                let name = self.symbols.intern(name);
                self.store_attr_on(&target, name, &value);
            }
        }
        self.judge_store_item(at, &target, &key, &value);
        if Self::has_instance(&target) {
            self.implicit(at, &target, "__setitem__", &[&key, &value]);
        }
        if value.is_unknown() {
            return;
        }
        if let (Some(owner), Some(name)) = (self.namespace_owner(object), key.as_str()) {
            let name = self.symbols.intern(name);
            self.store_attr_on(&owner, name, &value);
            return;
        }
        if matches!(
            self.program.insns.get(index as usize).map(|insn| insn.op),
            Some(Op::Slice(..))
        ) {
            // `list[1:2] = items`: each of them, somewhere.
            let element = self.element_of(&value);
            let added = target.join_known(&Value::element(element));
            self.replace_base(object, &added);
            return;
        }
        let added = if key.exact().is_some() && target.pairs().is_some_and(|p| p.len() < 512) {
            let mut pairs = target
                .pairs()
                .map(|pairs| pairs.to_vec())
                .unwrap_or_default();
            if !self.spend(pairs.len() as u64 / 8) {
                return;
            }
            pairs.retain(|(known, _)| known.exact() != key.exact());
            pairs.push((key, value));
            Value::dict(pairs).with_taints(&target.taints())
        } else {
            target.join_known(&Value::element(value))
        };
        self.replace_base(object, &added);
    }

    /// The object whose attributes a register holds as a dictionary: `x.__dict__` and `vars(x)`.
    pub(crate) fn namespace_owner(&self, object: Reg) -> Option<Value> {
        match self.program.insns.get(object as usize)?.op {
            Op::Attr(owner, sym::DICT) => Some(self.val(owner)),
            Op::Call(callee, args) => {
                let Op::Load(name) = self.program.insns.get(callee as usize)?.op else {
                    return None;
                };
                let [arg] = self.program.arg_slice(args) else {
                    return None;
                };
                (self.symbols.text(name) == "vars").then(|| self.val(arg.reg))
            }
            _ => None,
        }
        .filter(|owner| {
            let own = |one: &Ref| matches!(one, Ref::Instance(_) | Ref::Class(_));
            owner.refs().iter().any(own)
        })
    }

    /// Stores a container back into the variable that it was loaded from.
    pub(crate) fn replace_base(&mut self, object: Reg, value: &Value) {
        match self.program.insns.get(object as usize).map(|insn| insn.op) {
            Some(Op::Load(_)) => {
                if let Some(slot) = self.base_slot(object) {
                    let weak = self.branches > 0;
                    self.store_slot(slot, value, weak);
                }
            }
            Some(Op::Attr(owner, name)) => {
                let owner_value = self.val(owner);
                self.store_attr_on(&owner_value, name, value);
            }
            _ => {}
        }
    }

    pub(crate) fn delete_item(&mut self, at: Reg, object: Reg, index: Reg) {
        let target = self.val(object);
        let key = self.val(index);
        self.judge_delete_item(at, &target, &key);
        if Self::has_instance(&target) {
            self.implicit(at, &target, "__delitem__", &[&key]);
        }
    }
}
