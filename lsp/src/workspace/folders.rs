//! The folders of the editor's workspace, and how their names go over into those of the daemon, which knows no links.

use std::path::{Path, PathBuf};

use saferun_protocol::{HostPath, MAX_WATCH_ROOTS};
use tower_lsp_server::ls_types::Uri;

/// The folders that are to be watched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Folders {
    /// The canonical path, and the path as the editor names it.
    pairs: Vec<(PathBuf, PathBuf)>,
    /// Folders that are left out, because a watch has a bound.
    pub(super) beyond: usize,
}

impl Folders {
    /// Those of these folders that are there. Asks the file system: not for an async thread.
    pub(super) fn of(named: &[PathBuf]) -> Self {
        let mut pairs: Vec<(PathBuf, PathBuf)> = named
            .iter()
            .filter_map(|path| Some((path.canonicalize().ok()?, path.clone())))
            // The whole machine is no workspace.
            .filter(|(real, _)| real.is_dir() && real.parent().is_some())
            .collect();
        pairs.sort();
        pairs.dedup_by(|a, b| a.0 == b.0);
        let beyond = pairs.len().saturating_sub(MAX_WATCH_ROOTS);
        pairs.truncate(MAX_WATCH_ROOTS);
        Self { pairs, beyond }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// What the daemon is asked to watch.
    pub(super) fn roots(&self) -> Vec<HostPath> {
        let real = self.pairs.iter();
        real.map(|(real, _)| HostPath::from(real.as_path()))
            .collect()
    }

    /// The editor's name of a file of the daemon's.
    pub(super) fn named(&self, real: &Path) -> Option<PathBuf> {
        // The innermost folder has the last word, as in the editor.
        let inside = self.pairs.iter().rev();
        inside
            .filter_map(|(root, named)| Some((root, named.join(real.strip_prefix(root).ok()?))))
            .max_by_key(|(root, _)| root.components().count())
            .map(|(_, named)| named)
    }

    /// Whether a file of the editor's is in one of these.
    pub(super) fn holds(&self, named: &Path) -> bool {
        self.pairs
            .iter()
            .any(|(_, folder)| named.starts_with(folder))
    }
}

/// A file's URI (RFC 3986, 2.3: what is not unreserved is percent-encoded, byte by byte).
pub(super) fn uri(path: &Path) -> Option<Uri> {
    use std::{fmt::Write as _, os::unix::ffi::OsStrExt as _};
    let mut text = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(*byte));
            }
            _ => write!(text, "%{byte:02X}").ok()?,
        }
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_folder_behind_a_link_keeps_the_name_that_the_editor_has_for_it() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("real/inner")).unwrap();
        symlink("real", top.join("link")).unwrap();
        let gone = top.join("gone");
        let folders = Folders::of(&[top.join("link"), gone, PathBuf::from("/")]);
        assert_eq!(
            folders.roots(),
            [HostPath::from(top.join("real").as_path())]
        );
        assert_eq!(
            folders.named(&top.join("real/inner/a.py")),
            Some(top.join("link/inner/a.py"))
        );
        assert_eq!(folders.named(&top.join("other/a.py")), None);
        assert!(folders.holds(&top.join("link/a.py")) && !folders.holds(&top.join("linked/a.py")));
        let nested = Folders::of(&[top.join("link"), top.join("real/inner")]);
        assert_eq!(
            nested.named(&top.join("real/inner/a.py")),
            Some(top.join("real/inner/a.py"))
        );
    }

    #[test]
    fn a_watch_names_no_more_folders_than_the_daemon_takes() {
        let top = tempfile::tempdir().unwrap();
        let all: Vec<PathBuf> = (0..MAX_WATCH_ROOTS + 3)
            .map(|number| top.path().join(number.to_string()))
            .collect();
        for path in &all {
            fs::create_dir(path).unwrap();
        }
        let folders = Folders::of(&all);
        assert_eq!(
            (folders.roots().len(), folders.beyond),
            (MAX_WATCH_ROOTS, 3)
        );
    }

    #[test]
    fn any_name_of_a_file_makes_a_uri() {
        let odd = Path::new(OsStr::from_bytes(b"/w/a b#\xe9%?\n.py"));
        assert_eq!(
            uri(odd).unwrap().as_str(),
            "file:///w/a%20b%23%E9%25%3F%0A.py"
        );
        let plain = Path::new("/w/a-b_c.py");
        assert_eq!(uri(plain).unwrap().to_file_path().as_deref(), Some(plain));
    }
}
