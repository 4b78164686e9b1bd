//! Interned identifiers, with fixed numbers for those the analysis itself speaks of.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::ir::Sym;

/// Identifiers of one scan.
#[derive(Debug)]
pub(crate) struct Symbols {
    map: FxHashMap<Rc<str>, Sym>,
    texts: Vec<Rc<str>>,
    /// Whether Python itself defines the name, once somebody asked.
    builtin: Vec<Option<bool>>,
}

macro_rules! well_known {
    ($($name:ident = $text:literal),* $(,)?) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "constants are made of the names")]
        #[repr(u32)]
        enum Index { $($name),* }
        /// Symbols that every scan knows under the same number.
        pub(crate) mod sym {
            use super::{Index, Sym};
            $(pub(crate) const $name: Sym = Index::$name as Sym;)*
        }
        const WELL_KNOWN: &[&str] = &[$($text),*];
    };
}

well_known! {
    CALL = "()",
    ITEM = "[]",
    BUILTINS = "builtins",
    DUNDER_BUILTINS = "__builtins__",
    DICT = "__dict__",
    GLOBALS = "__globals__",
    CALL_DUNDER = "__call__",
    SELF_DUNDER = "__self__",
    GETATTRIBUTE = "__getattribute__",
    GETATTR_DUNDER = "__getattr__",
    GETITEM = "__getitem__",
    SUBCLASSES = "__subclasses__",
    INIT = "__init__",
    NEW = "__new__",
    REDUCE = "__reduce__",
    REDUCE_EX = "__reduce_ex__",
    NAME = "__name__",
    FILE = "__file__",
    WRAPPED = "__wrapped__",
    FUNC_DUNDER = "__func__",
    GET = "get",
    POP = "pop",
    SETDEFAULT = "setdefault",
    SHELL = "shell",
    ENTER = "__enter__",
    AENTER = "__aenter__",
    APPEND = "append",
    EXTEND = "extend",
    ADD = "add",
    INSERT = "insert",
    UPDATE = "update",
    PUT = "put",
    APPENDLEFT = "appendleft",
    WRITE = "write",
    LOADER = "__loader__",
    SPEC = "__spec__",
    MODULE_BUILTINS = "f_builtins",
    F_GLOBALS = "f_globals",
    F_LOCALS = "f_locals",
    FUNC_GLOBALS = "func_globals",
    KEYS = "keys",
    VALUES = "values",
    ITEMS = "items",
    COPY = "copy",
    INIT_SUBCLASS = "__init_subclass__",
    METACLASS = "metaclass",
    VALUE = "value",
    STDIN = "stdin",
    LOAD_MODULE = "load_module",
    CREATE_MODULE = "create_module",
    EMPTY = "",
}

impl Symbols {
    pub(crate) fn new() -> Self {
        let mut symbols = Self {
            map: FxHashMap::default(),
            texts: Vec::with_capacity(WELL_KNOWN.len() * 4),
            builtin: Vec::new(),
        };
        for text in WELL_KNOWN {
            symbols.intern(text);
        }
        symbols
    }

    pub(crate) fn intern(&mut self, text: &str) -> Sym {
        if let Some(&sym) = self.map.get(text) {
            return sym;
        }
        // More than 4 billion identifiers do not fit into a text whose offsets are 32-bit.
        let sym = Sym::try_from(self.texts.len()).unwrap_or(Sym::MAX - 1);
        let shared: Rc<str> = Rc::from(text);
        self.texts.push(Rc::clone(&shared));
        self.map.insert(shared, sym);
        sym
    }

    pub(crate) fn text(&self, sym: Sym) -> &str {
        self.texts.get(sym as usize).map_or("", |text| text)
    }

    /// Whether Python itself defines the name.
    pub(crate) fn is_builtin(&mut self, sym: Sym) -> bool {
        let index = sym as usize;
        if self.builtin.len() <= index {
            self.builtin.resize(self.texts.len().max(index + 1), None);
        }
        if let Some(known) = self.builtin[index] {
            return known;
        }
        let found = crate::rules::effects_data::is_builtin(self.text(sym));
        self.builtin[index] = Some(found);
        found
    }
}
