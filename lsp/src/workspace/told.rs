//! What the watch said of the files of the workspace, by their paths as the editor names them: the newest word on each,
//! within bounds. Knows neither the client nor the daemon.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use saferun_protocol::HostPath;
use tower_lsp_server::ls_types::{Diagnostic, Uri};

/// Most files with findings that are kept; further ones are counted.
pub(super) const MAX_FILES: usize = 5_000;
/// Most diagnostics of all files together; a file beyond that has one that counts its findings.
pub(super) const MAX_DIAGNOSTICS: usize = 50_000;

/// The word on one file.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) uri: Uri,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Different for each word of this server.
    pub(super) id: u64,
    root: HostPath,
    round: u64,
}

/// All that was said.
#[derive(Debug, Default)]
pub(super) struct Told {
    words: BTreeMap<PathBuf, Word>,
    diagnostics: usize,
    last: u64,
    /// How often each root was told from the start.
    rounds: HashMap<HostPath, u64>,
    round: u64,
}

/// What a new word came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is news.
    New,
    /// The same was said before.
    Same,
    /// There is no room for another file.
    Full,
}

impl Told {
    /// Takes in the newest word on a file. `shorter` is what is kept instead where there is little room left.
    pub(super) fn put(
        &mut self,
        root: &HostPath,
        path: &Path,
        uri: Uri,
        mut diagnostics: Vec<Diagnostic>,
        shorter: impl FnOnce(usize) -> Diagnostic,
    ) -> Kept {
        let round = self.rounds.get(root).copied().unwrap_or_default();
        if self.words.len() >= MAX_FILES && !self.words.contains_key(path) {
            return Kept::Full;
        }
        let before = self.words.get_mut(path);
        let old = before.map(|word| {
            word.round = round;
            word.root.clone_from(root);
            &*word
        });
        let others = self.diagnostics - old.map_or(0, |word| word.diagnostics.len());
        if diagnostics.len() > 1 && others + diagnostics.len() > MAX_DIAGNOSTICS {
            diagnostics = vec![shorter(diagnostics.len())];
        }
        if old.is_some_and(|word| word.diagnostics == diagnostics) {
            return Kept::Same;
        }
        self.diagnostics = others + diagnostics.len();
        self.last += 1;
        // The editor may write it in another way, and said so when it had the file open.
        let uri = old.map_or(uri, |word| word.uri.clone());
        let word = Word {
            uri,
            diagnostics,
            id: self.last,
            root: root.clone(),
            round,
        };
        self.words.insert(path.to_owned(), word);
        Kept::New
    }

    /// Nothing is to be said of a file any more; returns whether anything was.
    pub(super) fn remove(&mut self, path: &Path) -> Option<Word> {
        let word = self.words.remove(path)?;
        self.diagnostics -= word.diagnostics.len();
        Some(word)
    }

    /// From now on the root is told from the start.
    pub(super) fn begin(&mut self, root: &HostPath) {
        self.round += 1;
        self.rounds.insert(root.clone(), self.round);
    }

    /// All of the root was told: returns the files that were not spoken of since it began.
    pub(super) fn unspoken(&self, root: &HostPath) -> Vec<PathBuf> {
        let Some(round) = self.rounds.get(root) else {
            return Vec::new();
        };
        let stale = self
            .words
            .iter()
            .filter(|(_, word)| word.root == *root && word.round < *round);
        stale.map(|(path, _)| path.clone()).collect()
    }

    /// The files whose roots are none of these.
    pub(super) fn outside(&self, is_inside: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let outside = self.words.keys().filter(|path| !is_inside(path));
        outside.cloned().collect()
    }

    /// The word on a file.
    pub(super) fn word(&self, path: &Path) -> Option<&Word> {
        self.words.get(path)
    }

    /// The same, to be changed.
    pub(super) fn word_mut(&mut self, path: &Path) -> Option<&mut Word> {
        self.words.get_mut(path)
    }

    /// All files that are spoken of.
    pub(super) fn words(&self) -> impl Iterator<Item = (&Path, &Word)> {
        self.words.iter().map(|(path, word)| (path.as_path(), word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> HostPath {
        HostPath::from(Path::new("/w"))
    }

    fn said(told: &mut Told, name: &str, messages: &[&str]) -> Kept {
        let path = Path::new("/w").join(name);
        let uri = format!("file:///w/{name}").parse().unwrap();
        let one = |message: &&str| Diagnostic {
            message: (*message).to_owned(),
            ..Diagnostic::default()
        };
        let all = messages.iter().map(one).collect();
        told.put(&root(), &path, uri, all, |count| Diagnostic {
            message: format!("{count} findings"),
            ..Diagnostic::default()
        })
    }

    #[test]
    fn what_was_said_before_is_no_news() {
        let mut told = Told::default();
        assert_eq!(said(&mut told, "a.py", &["x"]), Kept::New);
        assert_eq!(said(&mut told, "a.py", &["x"]), Kept::Same);
        let first = told.word(Path::new("/w/a.py")).unwrap().id;
        assert_eq!(said(&mut told, "a.py", &["y"]), Kept::New);
        assert!(told.word(Path::new("/w/a.py")).unwrap().id > first);
    }

    #[test]
    fn what_is_not_said_again_after_a_new_start_is_stale() {
        let mut told = Told::default();
        told.begin(&root());
        said(&mut told, "a.py", &["x"]);
        said(&mut told, "b.py", &["x"]);
        assert!(told.unspoken(&root()).is_empty());
        told.begin(&root());
        said(&mut told, "b.py", &["x"]);
        assert_eq!(told.unspoken(&root()), [Path::new("/w/a.py")]);
    }

    #[test]
    fn there_is_a_bound_on_files_and_on_diagnostics() {
        let mut told = Told::default();
        let many = vec!["x"; 500];
        for number in 0..MAX_FILES {
            assert_eq!(said(&mut told, &format!("{number}.py"), &many), Kept::New);
        }
        assert_eq!(said(&mut told, "more.py", &["x"]), Kept::Full);
        assert!(told.diagnostics <= MAX_DIAGNOSTICS + MAX_FILES);
        let last = format!("/w/{}.py", MAX_FILES - 1);
        let last = told.word(Path::new(&last)).unwrap();
        assert_eq!(last.diagnostics.len(), 1);
        assert_eq!(last.diagnostics[0].message, "500 findings");
        for number in 0..MAX_FILES {
            told.remove(&Path::new("/w").join(format!("{number}.py")));
        }
        assert_eq!(told.diagnostics, 0);
    }
}
