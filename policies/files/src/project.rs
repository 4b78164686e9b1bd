//! Finds the files of the project that a script belongs to: upward from its folder, bounded.

use std::fs;
use std::path::{Path, PathBuf};

use saferun_policy::{LayerKind, Source};

use crate::read::{FileError, read};

/// What a project's policy file is called.
pub const PROJECT_FILE: &str = ".saferun.yaml";
/// Folders that are looked into, the script's own included.
const MAX_FOLDERS: usize = 32;

/// Every project file at or above a folder, up to the home folder, at most 32 folders up. All of them hold: one that
/// came with the code must not hide another further up. A link or anything else of that name is found too, so that
/// it is refused aloud.
#[must_use]
pub fn find_projects(folder: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(start) = fs::canonicalize(folder) else {
        return found;
    };
    let home = home.and_then(|home| fs::canonicalize(home).ok());
    for folder in start.ancestors().take(MAX_FOLDERS) {
        let path = folder.join(PROJECT_FILE);
        if fs::symlink_metadata(&path).is_ok() {
            found.push(path);
        }
        if home.as_deref() == Some(folder) {
            break;
        }
    }
    found
}

/// The project's layers for a script in this folder, nearest first. Each only tightens.
///
/// # Errors
/// A file that is there but may not be used. The caller refuses then: what would have tightened is not left out.
pub fn projects(folder: &Path, uid: u32) -> Result<Vec<Source>, FileError> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let mut sources = Vec::new();
    for path in find_projects(folder, home.as_deref()) {
        sources.extend(read(LayerKind::Project, &path, uid)?);
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_up_to_the_home_folder_counts() {
        let keep = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(keep.path()).unwrap();
        let deep = root.join("repo/a/b");
        fs::create_dir_all(&deep).unwrap();
        let outer = root.join(PROJECT_FILE);
        fs::write(&outer, "version: 1").unwrap();
        assert!(find_projects(&deep, None).contains(&outer));
        assert_eq!(
            find_projects(&deep, Some(&root.join("repo"))),
            Vec::<PathBuf>::new(),
            "not above the home folder"
        );
        let inner = root.join("repo").join(PROJECT_FILE);
        fs::write(&inner, "version: 1").unwrap();
        assert_eq!(
            find_projects(&deep, Some(&root)),
            [inner, outer],
            "a nearer file hides none further up"
        );
        fs::create_dir(deep.join(PROJECT_FILE)).unwrap();
        assert!(
            projects(&deep, 0).is_err(),
            "what is no file is refused aloud"
        );
    }

    #[test]
    fn the_search_is_bounded() {
        let top = tempfile::tempdir().unwrap();
        let mut deep = top.path().to_path_buf();
        for _ in 0..MAX_FOLDERS {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        fs::write(top.path().join(PROJECT_FILE), "version: 1").unwrap();
        let found = find_projects(&deep, None);
        assert!(!found.contains(&top.path().join(PROJECT_FILE)));
    }
}
