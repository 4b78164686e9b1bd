//! The table of resolved dotted names of one scan, each tied to its place in the catalogue.

use rustc_hash::FxHashMap;

use super::value::NameId;
use crate::rules::catalog::{Catalog, NodeId, segments};
use crate::syntax::ir::{NONE, Sym};
use crate::syntax::symbols::{Symbols, sym};

/// Longest chain of names that is followed.
const MAX_PARTS: u8 = 14;

/// Modules that other modules hold as attributes without meaning to export them.
const REACHABLE: &[&str] = &[
    "os",
    "_os",
    "sys",
    "_sys",
    "subprocess",
    "builtins",
    "_builtins",
    "importlib",
    "socket",
    "_socket",
    "shutil",
    "ctypes",
    "urllib",
    "codecs",
    "marshal",
    "pickle",
    "base64",
    "io",
    "pty",
];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    pub(crate) parent: NameId,
    pub(crate) last: Sym,
    /// The catalogue's node, or `NONE`.
    pub(crate) node: NodeId,
    parts: u8,
}

/// The root of all names.
pub(crate) const ROOT: NameId = 0;

#[derive(Debug)]
pub(crate) struct Names {
    all: Vec<Name>,
    children: FxHashMap<(NameId, Sym), NameId>,
    catalog: &'static Catalog,
}

impl Names {
    pub(crate) fn new() -> Self {
        let root = Name {
            parent: NONE,
            last: sym::EMPTY,
            node: 0,
            parts: 0,
        };
        Self {
            all: vec![root],
            children: FxHashMap::default(),
            catalog: Catalog::get(),
        }
    }

    pub(crate) fn get(&self, id: NameId) -> Name {
        self.all[id as usize]
    }

    /// Whether somebody has looked for a name.
    pub(crate) fn was_asked(&self, parent: NameId, part: Sym) -> bool {
        self.children.contains_key(&(parent, part))
    }

    /// The name of an attribute, item or call of a name; `None` when the chain grows too long.
    pub(crate) fn child(
        &mut self,
        symbols: &mut Symbols,
        parent: NameId,
        part: Sym,
    ) -> Option<NameId> {
        if let Some(&known) = self.children.get(&(parent, part)) {
            return Some(known);
        }
        let above = self.get(parent);
        if above.parts >= MAX_PARTS || self.all.len() > 1 << 22 {
            return None;
        }
        let text = symbols.text(part);
        let node = if above.node == NONE {
            None
        } else {
            self.catalog.child(above.node, text)
        };
        if let Some(alias) = node.and_then(|node| self.catalog.node(node).alias) {
            let id = self.dotted(symbols, alias)?;
            self.children.insert((parent, part), id);
            return Some(id);
        }
        // `logging.os` is `os`: modules are reachable through whatever imports them.
        if node.is_none() && parent != ROOT && part != sym::CALL && REACHABLE.contains(&text) {
            let module = text.trim_start_matches('_').to_owned();
            let module = symbols.intern(&module);
            let id = self.child(symbols, ROOT, module)?;
            self.children.insert((parent, part), id);
            return Some(id);
        }
        let id = NameId::try_from(self.all.len()).ok()?;
        self.all.push(Name {
            parent,
            last: part,
            node: node.unwrap_or(NONE),
            parts: above.parts + 1,
        });
        self.children.insert((parent, part), id);
        Some(id)
    }

    /// The name that a dotted text means.
    pub(crate) fn dotted(&mut self, symbols: &mut Symbols, text: &str) -> Option<NameId> {
        let mut at = ROOT;
        for part in segments(text) {
            let part = symbols.intern(part);
            at = self.child(symbols, at, part)?;
        }
        Some(at)
    }

    /// What a call of the name gives, if the catalogue speaks of that.
    pub(crate) fn result(&mut self, symbols: &mut Symbols, name: NameId) -> Option<NameId> {
        let node = self.get(name).node;
        if node == NONE || self.catalog.child(node, "()").is_none() {
            return None;
        }
        self.child(symbols, name, sym::CALL)
    }

    /// The name as it is written in policies and messages.
    pub(crate) fn text(&self, symbols: &Symbols, name: NameId) -> String {
        let mut parts = Vec::new();
        let mut at = name;
        while at != ROOT && at != NONE {
            let entry = self.get(at);
            parts.push(symbols.text(entry.last));
            at = entry.parent;
        }
        let mut text = String::new();
        for part in parts.iter().rev() {
            if !text.is_empty() && *part != "()" {
                text.push('.');
            }
            text.push_str(part);
        }
        text
    }
}
