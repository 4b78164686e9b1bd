//! The rules and effects as one trie over dotted names, built once for the process.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::effects::Effect;
use super::paths::Pattern;
use super::{Access, Match, Rule, When, rules};

/// Index of a node; zero is the root.
pub(crate) type NodeId = u32;

/// How a rule looks at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Call,
    Import,
    Name,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) rule: u16,
    pub(crate) on: Use,
    pub(crate) when: Option<When>,
}

#[derive(Debug, Default)]
pub(crate) struct Node {
    children: FxHashMap<&'static str, NodeId>,
    any: Option<NodeId>,
    pub(crate) hits: Vec<Hit>,
    pub(crate) effects: Vec<&'static Effect>,
    /// The name that this one is another spelling of.
    pub(crate) alias: Option<&'static str>,
    /// Some name inside has an import rule, or this one has.
    pub(crate) imports: Vec<u16>,
}

#[derive(Debug)]
pub(crate) struct Catalog {
    nodes: Vec<Node>,
    pub(crate) rules: Vec<&'static Rule>,
    pub(crate) paths: Vec<(u16, Access, Pattern)>,
    by_id: FxHashMap<&'static str, u16>,
}

impl Node {
    /// The text that the name itself is, as `os.sep` is `/`.
    pub(crate) fn text(&self) -> Option<&'static str> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Is(text) => Some(*text),
            _ => None,
        })
    }
}

impl Catalog {
    pub(crate) fn get() -> &'static Self {
        static CATALOG: OnceLock<Catalog> = OnceLock::new();
        CATALOG.get_or_init(Self::build)
    }

    fn build() -> Self {
        let mut catalog = Self {
            nodes: vec![Node::default()],
            rules: rules().collect(),
            paths: Vec::new(),
            by_id: FxHashMap::default(),
        };
        for index in 0..catalog.rules.len() {
            let rule = catalog.rules[index];
            let number = u16::try_from(index).unwrap_or(u16::MAX);
            catalog.by_id.insert(rule.id, number);
            for matcher in rule.matches {
                catalog.add(number, matcher);
            }
        }
        for (names, effect) in super::effects_data::EFFECTS {
            for name in *names {
                let node = catalog.insert(name);
                catalog.nodes[node as usize].effects.push(effect);
            }
        }
        for (name, canonical) in super::effects_data::ALIASES {
            let node = catalog.insert(name);
            catalog.nodes[node as usize].alias = Some(canonical);
        }
        catalog
    }

    fn add(&mut self, rule: u16, matcher: &Match) {
        let (names, on, when) = match matcher {
            Match::Call(names) => (*names, Use::Call, None),
            Match::CallWhen(names, when) => (*names, Use::Call, Some(*when)),
            Match::Import(names) => (*names, Use::Import, None),
            Match::Name(names) => (*names, Use::Name, None),
            Match::Path(access, patterns) => {
                self.paths.extend(
                    patterns
                        .iter()
                        .map(|pattern| (rule, *access, Pattern::new(pattern))),
                );
                return;
            }
            Match::Engine => return,
        };
        for name in names {
            let node = self.insert(name) as usize;
            if on == Use::Import {
                self.nodes[node].imports.push(rule);
            } else {
                self.nodes[node].hits.push(Hit { rule, on, when });
            }
        }
    }

    fn insert(&mut self, name: &'static str) -> NodeId {
        let mut at = 0;
        for segment in segments(name) {
            let here = &self.nodes[at as usize];
            let known = if segment == "*" {
                here.any
            } else {
                here.children.get(segment).copied()
            };
            at = if let Some(next) = known {
                next
            } else {
                let next = NodeId::try_from(self.nodes.len()).unwrap_or(0);
                self.nodes.push(Node::default());
                let here = &mut self.nodes[at as usize];
                if segment == "*" {
                    here.any = Some(next);
                } else {
                    here.children.insert(segment, next);
                }
                next
            };
        }
        at
    }

    pub(crate) fn child(&self, parent: NodeId, segment: &str) -> Option<NodeId> {
        let node = self.nodes.get(parent as usize)?;
        node.children.get(segment).copied().or(node.any)
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// The number of a rule. An id that does not exist is a mistake of this crate, found by a test; the first rule
    /// stands in for it.
    pub(crate) fn rule(&self, id: &str) -> u16 {
        debug_assert!(self.by_id.contains_key(id), "no rule {id}");
        self.by_id.get(id).copied().unwrap_or(0)
    }
}

/// The segments of a dotted name, a call being a segment of its own. A name without a dot is a builtin unless it
/// ends with a dot itself, as modules do in the tables of names.
pub(crate) fn segments(name: &str) -> impl Iterator<Item = &str> {
    name.split('.').flat_map(|part| {
        let (head, call) = match part.strip_suffix("()") {
            Some(head) => (head, Some("()")),
            None => (part, None),
        };
        [Some(head).filter(|head| !head.is_empty()), call]
            .into_iter()
            .flatten()
    })
}
