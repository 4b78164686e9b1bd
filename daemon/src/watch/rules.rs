//! Which paths of a root are looked at: what `saferunctl scan` would scan, less what the policy's
//! `watch.ignore` passes over. Mirrors the order in which the `ignore` crate asks its files (a test
//! holds the two side by side), because that crate can only walk, and events come one by one.

use std::{
    collections::HashMap,
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::Arc,
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder, Glob},
};

use super::beneath::{self, Found};

/// Largest ignore file that is read, in bytes; a larger one counts as none.
const MAX_IGNORE_FILE: u64 = 1024 * 1024;
/// Names of files that say what is ignored.
const IGNORE_FILES: [&str; 2] = [".ignore", ".gitignore"];

/// What one folder says.
#[derive(Debug, Default, Clone)]
struct Folder {
    ignore: Option<Gitignore>,
    git: Option<Gitignore>,
    exclude: Option<Gitignore>,
    has_git: bool,
}

impl Folder {
    fn is_silent(&self) -> bool {
        self.ignore.is_none() && self.git.is_none() && self.exclude.is_none() && !self.has_git
    }
}

/// The rules of one root.
#[derive(Debug)]
pub(super) struct Rules {
    root: PathBuf,
    /// Folders that say something, by absolute path: those in the root and those above it.
    folders: HashMap<PathBuf, Folder>,
    global: Gitignore,
    skip: GlobSet,
}

impl Rules {
    /// The rules of a root with these globs of the policy; reads what the folders above the root say.
    pub(super) fn new(root: &Path, globs: &[String]) -> Self {
        let (global, _) = GitignoreBuilder::new(root).build_global();
        let mut rules = Self {
            root: root.to_owned(),
            folders: HashMap::new(),
            global,
            skip: skip_set(globs),
        };
        for above in root.ancestors().skip(1) {
            if let Ok(found) = beneath::root(above) {
                rules.read(above, &found);
            }
        }
        rules
    }

    /// Reads what a folder says, or that it says nothing any more.
    pub(super) fn read(&mut self, absolute: &Path, folder: &Found) {
        let read = |name: &str| read_ignore(absolute, folder, name);
        let has_git = beneath::look(folder, Path::new(".git")).is_ok();
        let said = Folder {
            ignore: read(".ignore"),
            git: read(".gitignore"),
            exclude: has_git.then(|| read(".git/info/exclude")).flatten(),
            has_git,
        };
        if said.is_silent() {
            self.folders.remove(absolute);
        } else {
            self.folders.insert(absolute.to_owned(), said);
        }
    }

    /// Forgets what the folders under (and at) a path said.
    pub(super) fn forget(&mut self, absolute: &Path) {
        self.folders
            .retain(|folder, _| !folder.starts_with(absolute));
    }

    /// The folder of the repository that a file is in.
    pub(super) fn repository(&self, relative: &Path) -> Option<PathBuf> {
        let path = self.root.join(relative);
        let mut above = path.ancestors().skip(1);
        let top = above.find(|above| self.folders.get(*above).is_some_and(|said| said.has_git));
        top.map(Path::to_owned)
    }

    /// Whether the policy passes over a path.
    pub(super) fn skips(&self, relative: &Path) -> bool {
        self.skip.is_match(relative)
    }

    /// Whether git, or an `.ignore` file, passes over a path. The folders above it are not asked
    /// whether they are ignored themselves: nobody looks into those.
    pub(super) fn ignores(&self, relative: &Path, is_dir: bool) -> bool {
        if relative.file_name() == Some(OsStr::new(".git")) {
            return true;
        }
        let path = self.root.join(relative);
        let folders = || {
            path.ancestors()
                .skip(1)
                .filter_map(|above| self.folders.get(above))
        };
        let in_git = folders().any(|folder| folder.has_git);
        let (mut ignore, mut git, mut exclude) = (Match::None, Match::None, Match::None);
        let mut beyond_git = false;
        let ask = |rules: &Option<Gitignore>| {
            rules.as_ref().map_or(Match::None, |rules| {
                rules.matched(&path, is_dir).map(Glob::is_whitelist)
            })
        };
        for folder in folders() {
            if ignore.is_none() {
                ignore = ask(&folder.ignore);
            }
            if in_git && !beyond_git {
                if git.is_none() {
                    git = ask(&folder.git);
                }
                if exclude.is_none() {
                    exclude = ask(&folder.exclude);
                }
                beyond_git = folder.has_git;
            }
        }
        let global = if in_git {
            self.global.matched(&path, is_dir).map(Glob::is_whitelist)
        } else {
            Match::None
        };
        ignore.or(git).or(exclude).or(global).is_ignore()
    }
}

/// Whether a file of this name says what is ignored.
pub(super) fn is_ignore_file(name: &OsStr) -> bool {
    IGNORE_FILES.iter().any(|known| name == *known)
}

/// Whether what comes or goes under this name changes what is ignored: `.git` too, because without it a `.gitignore`
/// says nothing.
pub(super) fn says_what_is_ignored(name: &OsStr) -> bool {
    is_ignore_file(name) || name == ".git"
}

/// Whether a file of this name is scanned.
pub(super) fn is_scanned(name: &Path) -> bool {
    let ending = name.extension().and_then(OsStr::to_str);
    ending.is_some_and(|ending| {
        let ending = ending.to_ascii_lowercase();
        saferun_scanner::extract::ENDINGS.contains(&ending.as_str())
    })
}

fn read_ignore(folder: &Path, found: &Found, name: &str) -> Option<Gitignore> {
    let file = beneath::look(found, Path::new(name)).ok()?;
    let bytes = file.read(MAX_IGNORE_FILE).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.trim_start_matches('\u{feff}').lines() {
        // A glob that cannot be read ignores nothing, as for git.
        let _ = builder.add_line(None, line);
    }
    builder.build().ok()
}

/// The policy's globs: each holds at any depth, and one that ends in `/**` also for the folder itself.
fn skip_set(globs: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let anchored = glob.trim_start_matches('/');
        let mut forms = vec![anchored.to_owned()];
        if anchored == glob && !glob.starts_with("**/") {
            forms.push(format!("**/{glob}"));
        }
        for form in forms {
            let folder = form.strip_suffix("/**").map(str::to_owned);
            for one in [Some(form), folder].into_iter().flatten() {
                // The policy's reader has refused globs that are none.
                if let Ok(glob) = GlobBuilder::new(&one).literal_separator(true).build() {
                    set.add(glob);
                }
            }
        }
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}

/// Globs of the policy whose matches count as written by a model, each with its text.
#[derive(Debug, Clone, Default)]
pub(super) struct NamedGlobs {
    set: GlobSet,
    names: Arc<[String]>,
}

impl NamedGlobs {
    pub(super) fn new(globs: &[String]) -> Self {
        let mut set = GlobSetBuilder::new();
        let mut names = Vec::new();
        for glob in globs {
            let anchored = glob.trim_start_matches('/');
            let mut forms = vec![anchored.to_owned()];
            if anchored == glob && !glob.starts_with("**/") {
                forms.push(format!("**/{glob}"));
            }
            for form in forms {
                if let Ok(built) = GlobBuilder::new(&form).literal_separator(true).build() {
                    set.add(built);
                    names.push(glob.clone());
                }
            }
        }
        Self {
            set: set.build().unwrap_or_else(|_| GlobSet::empty()),
            names: names.into(),
        }
    }

    /// The first glob that matches.
    pub(super) fn matching(&self, relative: &Path) -> Option<&str> {
        let first = self.set.matches(relative).into_iter().min()?;
        self.names.get(first).map(String::as_str)
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
