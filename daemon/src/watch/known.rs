//! What is known of a root's folders and files. Plain data: looks at nothing itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{beneath::Stamp, scan::Content};

/// What is known of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    /// Only if it can be trusted: not of the last moment before the file was read.
    pub(super) stamp: Option<Stamp>,
    /// Only of files with findings.
    pub(super) content: Option<Arc<Content>>,
    /// Why it cannot be scanned.
    pub(super) problem: Option<String>,
    /// The survey that saw it last.
    pub(super) survey: u32,
}

/// Folders and files by their paths relative to the root; the root itself is the empty path.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) files: BTreeMap<PathBuf, File>,
    pub(super) folders: BTreeMap<PathBuf, u32>,
    /// Folders that the policy passes over.
    pub(super) skipped: BTreeSet<PathBuf>,
}

impl Known {
    /// Files under a folder that this survey did not see.
    pub(super) fn unseen_files(&self, folder: &Path, survey: u32) -> Vec<PathBuf> {
        under(&self.files, folder)
            .filter(|(_, file)| file.survey != survey)
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Folders at and under a folder that this survey did not see.
    pub(super) fn unseen_folders(&self, folder: &Path, survey: u32) -> Vec<PathBuf> {
        under(&self.folders, folder)
            .filter(|(_, seen)| **seen != survey)
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Forgets a folder and the folders under it, and returns the files that are known under it.
    pub(super) fn forget_folder(&mut self, folder: &Path) -> Vec<PathBuf> {
        let folders: Vec<PathBuf> = under(&self.folders, folder)
            .map(|(path, _)| path.clone())
            .collect();
        for path in folders {
            self.folders.remove(&path);
        }
        self.skipped.retain(|path| !path.starts_with(folder));
        under(&self.files, folder)
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Whether a path is in a folder that is looked into.
    pub(super) fn is_inside(&self, path: &Path) -> bool {
        path.parent()
            .is_some_and(|folder| self.folders.contains_key(folder))
    }
}

/// The entries at and under a folder. Paths are ordered by their components, so they stand together.
fn under<'a, T>(
    map: &'a BTreeMap<PathBuf, T>,
    folder: &'a Path,
) -> impl Iterator<Item = (&'a PathBuf, &'a T)> {
    map.range::<Path, _>((Bound::Included(folder), Bound::Unbounded))
        .take_while(move |(path, _)| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_forgotten_with_all_under_it_and_nothing_beside_it() {
        let mut known = Known::default();
        for folder in ["", "a", "a/b", "a-b", "ab"] {
            known.folders.insert(folder.into(), 1);
            known
                .files
                .insert(Path::new(folder).join("x.py"), File::default());
        }
        let files = known.forget_folder(Path::new("a"));
        assert_eq!(files, [Path::new("a/b/x.py"), Path::new("a/x.py")]);
        let left: Vec<&Path> = known.folders.keys().map(PathBuf::as_path).collect();
        assert_eq!(left, [Path::new(""), Path::new("a-b"), Path::new("ab")]);
    }
}
