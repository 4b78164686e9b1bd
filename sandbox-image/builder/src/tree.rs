//! A root file system as a sorted map of paths. Contents are inline or a range of a tar file.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;
use std::path::{Path, PathBuf};

/// One entry. Owner is always root and the time always the same, so neither is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// A directory with its mode.
    Folder(u32),
    /// A file with its mode and contents.
    File(u32, Contents),
    /// A symbolic link and its target.
    Link(PathBuf),
}

/// Where a file's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Contents {
    Inline(Vec<u8>),
    /// Offset and length in the source tar.
    At(u64, u64),
}

impl Node {
    /// Kind, mode and target in words, for the digest.
    pub(crate) fn fingerprint(&self) -> String {
        match self {
            Self::Folder(mode) => format!("folder {mode:o}"),
            Self::File(mode, _) => format!("file {mode:o}"),
            Self::Link(target) => format!("link {}", target.display()),
        }
    }

    /// The bytes of an inline file, nothing for other entries.
    pub(crate) fn inline_bytes(&self) -> &[u8] {
        match self {
            Self::File(_, Contents::Inline(bytes)) => bytes,
            _ => &[],
        }
    }
}

/// Paths (relative, `/` left out) and what is there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    nodes: BTreeMap<PathBuf, Node>,
}

impl Tree {
    /// Adds an entry, replacing what was there.
    pub(crate) fn put(&mut self, path: impl Into<PathBuf>, node: Node) {
        self.nodes.insert(path.into(), node);
    }

    pub(crate) fn folder(&mut self, path: &str, mode: u32) {
        self.put(path, Node::Folder(mode));
    }

    pub(crate) fn file(&mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) {
        self.put(path, Node::File(mode, Contents::Inline(bytes.into())));
    }

    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.put(path, Node::Link(target.into()));
    }

    pub(crate) fn get(&self, path: &Path) -> Option<&Node> {
        self.nodes.get(path)
    }

    pub(crate) fn iter(&self) -> Iter<'_, PathBuf, Node> {
        self.nodes.iter()
    }

    /// Lays `other` over this one. A folder that is there already keeps its contents.
    pub(crate) fn overlay(&mut self, other: Self) {
        self.nodes.extend(other.nodes);
    }

    /// Adds the folders that entries need and that nobody listed.
    pub(crate) fn complete_folders(&mut self) {
        let mut missing = Vec::new();
        for path in self.nodes.keys() {
            for folder in path
                .ancestors()
                .skip(1)
                .filter(|folder| *folder != Path::new(""))
            {
                if !self.nodes.contains_key(folder) {
                    missing.push(folder.to_owned());
                }
            }
        }
        for folder in missing {
            self.nodes.insert(folder, Node::Folder(0o755));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_folders_are_added_and_listed_ones_kept() {
        let mut tree = Tree::default();
        tree.folder("a", 0o700);
        tree.file("a/b/c", 0o644, "x");
        tree.complete_folders();
        assert_eq!(tree.get(Path::new("a")), Some(&Node::Folder(0o700)));
        assert_eq!(tree.get(Path::new("a/b")), Some(&Node::Folder(0o755)));
        assert_eq!(tree.iter().count(), 3);
    }
}
