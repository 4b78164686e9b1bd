//! The table of the language: one line for each key with its kind, its limits, who may set it, and what it means.
//! Loader, merge, `show`, JSON Schema and documentation all read this table; there is no second list.

mod behaviour;
mod limits;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::units::{Bytes, MilliCpus};
use crate::value::Tighten;

/// What a key holds. Ranges are inclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Bool,
    Count {
        min: u32,
        max: u32,
    },
    Bytes {
        min: Bytes,
        max: Bytes,
    },
    Cpus {
        min: MilliCpus,
        max: MilliCpus,
    },
    /// Bounds in milliseconds.
    Time {
        min: u64,
        max: u64,
    },
    Percent {
        max: u8,
    },
    Action,
    /// Rates of at most so many in a window.
    Rates {
        max: u32,
    },
    /// One word of the list, loosest first.
    Word(&'static [&'static str]),
    /// Distinct words of the list.
    Words(&'static [&'static str]),
    Text {
        max: usize,
    },
    Texts {
        max: usize,
        what: Texts,
    },
}

/// What a list of free texts holds, for its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    /// Glob patterns of paths.
    Globs,
    /// Absolute folders.
    Folders,
    /// A program and its arguments.
    Command,
    /// Any text.
    Plain,
}

/// Which layers may set a key at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every layer; a project only tightens.
    Any,
    /// User and system layers, because it names a command, a folder to watch or what is recorded of it.
    Trusted,
    /// The user layer alone.
    User,
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    /// Dotted path.
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
    pub(crate) tighten: Tighten,
    pub(crate) scope: Scope,
    /// One sentence, shown by editors and in the documentation.
    pub(crate) doc: &'static str,
}

impl Key {
    /// The sentence with what is to be known of a key on which nothing acts yet.
    pub(crate) fn sentence(&self) -> String {
        crate::dormant::dormant(self.path).map_or_else(
            || self.doc.to_owned(),
            |why| format!("{} Nothing acts on it yet: {why}.", self.doc),
        )
    }

    /// The list of words of a key, for order and suggestions.
    pub(crate) const fn words(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Word(words) | Kind::Words(words) => words,
            _ => &[],
        }
    }
}

/// Sections that are no plain keys: each has a reader of its own.
pub(crate) const NAME_SECTIONS: [&str; 4] = ["imports", "calls", "attributes", "paths"];
/// Languages that may have a section of their own.
pub(crate) const LANGUAGES: [&str; 3] = ["python", "javascript", "shell"];
/// Keys at the top that are read apart.
pub(crate) const TOP: [&str; 10] = [
    "version",
    "preset",
    "rules",
    "custom_rules",
    "tests",
    "languages",
    "imports",
    "calls",
    "attributes",
    "paths",
];

/// Every key, in the order of the documentation.
pub(crate) fn all() -> &'static [Key] {
    static ALL: OnceLock<Vec<Key>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut keys = behaviour::keys();
        keys.extend(limits::keys());
        keys
    })
}

/// The key at a path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    all().iter().find(|key| key.path == path)
}

/// Whether keys stand below this path.
pub(crate) fn is_section(path: &str) -> bool {
    all().iter().any(|key| below(key.path, path).is_some())
}

/// Names that may stand directly below a path (`""` is the top).
pub(crate) fn children(path: &str) -> BTreeSet<&'static str> {
    let mut names: BTreeSet<&'static str> = all()
        .iter()
        .filter_map(|key| {
            if path.is_empty() {
                Some(key.path)
            } else {
                below(key.path, path)
            }
        })
        .map(|rest| rest.split('.').next().unwrap_or(rest))
        .collect();
    if path.is_empty() {
        names.extend(TOP);
    }
    names
}

fn below(key: &'static str, path: &str) -> Option<&'static str> {
    key.strip_prefix(path)?.strip_prefix('.')
}

/// The key for a variable's name without its prefix, in small letters: `limits_memory_max`.
/// A name that begins like a section but has no key comes back as a guess, so that the loader can complain.
pub(crate) fn from_variable(name: &str) -> Option<String> {
    let flat = |path: &str| path.to_lowercase().replace('.', "_");
    if let Some(key) = all().iter().find(|key| flat(key.path) == name) {
        return Some(key.path.to_owned());
    }
    let limit = |path: &'static str| path.strip_suffix(".default");
    if let Some(path) = all()
        .iter()
        .filter_map(|key| limit(key.path))
        .find(|path| flat(path) == name)
    {
        return Some(path.to_owned());
    }
    let (first, rest) = name.split_once('_')?;
    let sections = all()
        .iter()
        .filter_map(|key| key.path.split_once('.'))
        .map(|(first, _)| first);
    sections
        .chain(NAME_SECTIONS)
        .any(|section| section == first)
        .then(|| format!("{first}.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_distinct_and_documented() {
        let mut seen = BTreeSet::new();
        for key in all() {
            assert!(seen.insert(key.path), "{} stands twice", key.path);
            assert!(key.doc.ends_with('.'), "{} needs a sentence", key.path);
            assert!(
                !is_section(key.path),
                "{} is both key and section",
                key.path
            );
        }
    }
}
