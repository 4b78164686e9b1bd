//! What differs from a commit of git, for `watch.generated.since`. Git is asked for names of objects alone, without a
//! shell and with a deadline: it looks into no file of the working tree, and starts nothing that a repository names.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
    fs,
    io::Read,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::MetadataExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use saferun_protocol::Generated;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{beneath, known::File, root::Root, rules, survey::hexadecimal};

/// How long git may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer of git, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;
/// Most repositories in one root.
const MAX_REPOSITORIES: usize = 64;

/// What git calls some content, by either of its hashes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    sha1: String,
    sha256: String,
}

impl Object {
    /// By gitformat-loose(5): the hash of a header and the content.
    pub(super) fn of(bytes: &[u8]) -> Self {
        fn digest<D: Digest>(bytes: &[u8]) -> String {
            let mut hash = D::new();
            hash.update(format!("blob {}\0", bytes.len()));
            hash.update(bytes);
            hexadecimal(&hash.finalize())
        }
        Self {
            sha1: digest::<Sha1>(bytes),
            sha256: digest::<Sha256>(bytes),
        }
    }

    fn is(&self, name: &str) -> bool {
        name == self.sha1 || name == self.sha256
    }
}

/// The commits that the files of one root are compared with.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// Empty: nothing is compared.
    revision: String,
    repositories: BTreeMap<PathBuf, Repository>,
    /// A move of HEAD may have been missed, or where the repositories are has changed.
    pub(super) stale: bool,
}

/// One repository.
#[derive(Debug)]
struct Repository {
    /// None where git knows no such commit: then all counts as new.
    base: Option<Base>,
    /// The files that change when HEAD moves, as they were.
    heads: Vec<(PathBuf, Option<Mark>)>,
}

/// The commit, and its files that would be scanned, below the top of the repository.
#[derive(Debug)]
struct Base {
    commit: String,
    objects: HashMap<PathBuf, String>,
}

/// What tells that a file was written or replaced: inode, size and time of change.
type Mark = (u64, u64, i64, i64);

impl Commits {
    /// Compares with this revision, if it is one.
    pub(super) fn new(revision: &str) -> Self {
        Self {
            revision: revision.to_owned(),
            ..Self::default()
        }
    }

    /// Why a file of the repository at `top` counts as new, if it does.
    fn of(&self, top: &Path, absolute: &Path, object: Option<&Object>) -> Option<Generated> {
        let base = self.repositories.get(top).and_then(|one| one.base.as_ref());
        let Some(base) = base else {
            return Some(Generated::Since {
                commit: self.revision.clone(),
            });
        };
        let before = base.objects.get(absolute.strip_prefix(top).ok()?);
        let same = before.is_some_and(|name| object.is_some_and(|object| object.is(name)));
        (!same).then(|| Generated::Since {
            commit: base.commit.clone(),
        })
    }
}

impl Repository {
    fn read(top: &Path, revision: &str) -> Self {
        let line = |arguments: &[&str]| {
            let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
            let mut line = ask(top, &arguments)?;
            line.pop_if(|last| *last == b'\n');
            Some(OsString::from_vec(line))
        };
        // A folder called .git that is no repository: git would answer of the one around it.
        let own = line(&["rev-parse", "--show-toplevel"])
            .is_some_and(|found| Path::new(&found).canonicalize().is_ok_and(|it| it == top));
        let folder = own
            .then(|| line(&["rev-parse", "--absolute-git-dir"]))
            .flatten();
        // One that is not whole yet has its HEAD here as soon as it is.
        let folder = folder.map_or_else(|| top.join(".git"), PathBuf::from);
        // Before git is asked for the commit: a move meanwhile is then seen as one.
        let heads = ["HEAD", "logs/HEAD", "reftable/tables.list"].map(|name| {
            let path = folder.join(name);
            let mark = mark(&path);
            (path, mark)
        });
        let base = || {
            let commit = format!("{revision}^{{commit}}");
            let verify = [
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &commit,
            ];
            let commit = line(&verify)?.into_string().ok()?;
            let commit = line(&["merge-base", &commit, "HEAD"])?.into_string().ok()?;
            let list = ["ls-tree", "-r", "-z", "--full-tree", &commit].map(OsStr::new);
            Some(Base {
                objects: objects(&ask(top, &list)?),
                commit,
            })
        };
        Self {
            base: own.then(base).flatten(),
            heads: heads.into(),
        }
    }

    fn moved(&self) -> bool {
        self.heads
            .iter()
            .any(|(path, before)| mark(path) != *before)
    }
}

fn mark(path: &Path) -> Option<Mark> {
    let meta = fs::symlink_metadata(path).ok()?;
    Some((meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec()))
}

/// What git answers, in full and in time, or nothing.
fn ask(top: &Path, arguments: &[&OsStr]) -> Option<Vec<u8>> {
    let until = Instant::now() + PATIENCE;
    let mut child = command(top).args(arguments).spawn().ok()?;
    let (answers, answer) = mpsc::sync_channel(1);
    let mut output = child.stdout.take()?.take(LONGEST + 1);
    let reader = thread::Builder::new()
        .name("git".to_owned())
        .spawn(move || {
            let mut bytes = Vec::new();
            let whole = output
                .read_to_end(&mut bytes)
                .is_ok_and(|read| read as u64 <= LONGEST);
            let _ = answers.send(whole.then_some(bytes));
        });
    let answered = reader
        .ok()
        .and_then(|_| answer.recv_timeout(PATIENCE).ok()?);
    let mut done = None;
    while answered.is_some() && done.is_none() && Instant::now() < until {
        done = child.try_wait().ok()?;
        if done.is_none() {
            thread::park_timeout(Duration::from_millis(1));
        }
    }
    if done.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    answered.filter(|_| done.is_some_and(|status| status.success()))
}

/// A git that starts no other program, as that of `client/src/scan/git.rs`: what is shut off there is to be shut off here.
fn command(top: &Path) -> Command {
    let mut command = Command::new("git");
    // What stands around a daemon that a hook started is about another repository.
    for (name, _) in std::env::vars_os() {
        if name.as_bytes().starts_with(b"GIT_") {
            command.env_remove(name);
        }
    }
    command
        .args(["--no-pager", "--literal-pathspecs"])
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        .args(["-c", "core.sshCommand=false"])
        .current_dir(top)
        .env("GIT_OPTIONAL_LOCKS", "0")
        // A partial clone would fetch what it lacks, through whatever its configuration names.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// The regular files of a tree (git-ls-tree(1), "default output format") that would be scanned, with their objects.
fn objects(raw: &[u8]) -> HashMap<PathBuf, String> {
    let entry = |line: &[u8]| {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let path = PathBuf::from(OsStr::from_bytes(line.get(tab + 1..)?));
        let head = std::str::from_utf8(line.get(..tab)?).ok()?;
        let wanted = head.starts_with("100") && rules::is_scanned(&path);
        Some((path, head.split(' ').nth(2)?.to_owned())).filter(|_| wanted)
    };
    raw.split(|byte| *byte == 0).filter_map(entry).collect()
}

impl Root {
    /// Why a file counts as new since the policy's commit, if it does.
    pub(super) fn since(&mut self, path: &Path, object: Option<&Object>) -> Option<Generated> {
        if self.commits.revision.is_empty() {
            return None;
        }
        let top = self.rules.repository(path)?;
        if !self.commits.repositories.contains_key(&top) {
            self.meet(&top);
        }
        self.commits.of(&top, &self.shared.path.join(path), object)
    }

    fn meet(&mut self, top: &Path) {
        let revision = &self.commits.revision;
        let asked = self.commits.repositories.len() < MAX_REPOSITORIES;
        let repository = if asked {
            Repository::read(top, revision)
        } else {
            Repository {
                base: None,
                heads: Vec::new(),
            }
        };
        if !asked {
            self.shared.notice(
                format!(
                    "{} is not compared with {revision}: it is beyond the {MAX_REPOSITORIES} repositories of a watched folder, and all in it counts as new",
                    top.display()
                ),
                "watch its folder apart",
            );
        } else if repository.base.is_none() {
            self.shared.notice(
                format!(
                    "git has no commit {revision} to compare {} with: all in it counts as new",
                    top.display()
                ),
                "see what git says of it there; `watch.generated.since` in the policy names it",
            );
        }
        // Where the kernel tells of changes, it tells when HEAD moves.
        let folders = repository
            .heads
            .iter()
            .filter_map(|(head, _)| head.parent());
        for folder in folders.filter_map(|folder| folder.canonicalize().ok()) {
            if let Some(watcher) = &mut self.watcher
                && let Ok(found) = beneath::root(&folder)
            {
                // One that cannot be watched is looked at with the next change all the same.
                let _ = watcher.add(&folder, &found);
            }
        }
        self.commits.repositories.insert(top.to_owned(), repository);
    }

    /// Judges again what stands in repositories whose HEAD moved, or everything where that may have been missed.
    pub(super) fn follow_commits(&mut self) {
        let all = std::mem::take(&mut self.commits.stale);
        let mut moved = Vec::new();
        self.commits.repositories.retain(|top, one| {
            let stays = !all && !one.moved();
            if !stays {
                moved.push(top.clone());
            }
            stays
        });
        if self.commits.revision.is_empty() || !all && moved.is_empty() {
            return;
        }
        let spoken_of = |(path, file): (&PathBuf, &File)| {
            let absolute = self.shared.path.join(path);
            let within = all || moved.iter().any(|top| absolute.starts_with(top));
            let spoken_of = file.content.is_some() || file.problem.is_some();
            (within && spoken_of).then(|| path.clone())
        };
        let files: Vec<PathBuf> = self.known.files.iter().filter_map(spoken_of).collect();
        for file in files {
            self.judge_again(&file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_have_the_names_that_git_gives_them() {
        // As `git hash-object` says, in a repository of either hash.
        let object = Object::of(b"x = 1\n");
        assert!(object.is("7d4290a117a4ddcc11daae7ea675841033830c8f"));
        assert!(object.is("ad0de4e782859190cf54ae4db714187a9ba861e1fb30ca0c3ae148990aea81c9"));
        assert!(!object.is(""));
    }

    #[test]
    fn of_a_tree_only_regular_files_that_are_scanned_count() {
        let raw = b"100644 blob aa\ta.py\x00120000 blob bb\tlink.py\x00100755 blob cc\td/b \n.py\x00100644 blob dd\tc.txt\x00160000 commit ee\tsub\0";
        let found = objects(raw);
        let mut names: Vec<_> = found
            .iter()
            .map(|(path, name)| (path.to_str().unwrap(), name.as_str()))
            .collect();
        names.sort_unstable();
        assert_eq!(names, [("a.py", "aa"), ("d/b \n.py", "cc")]);
    }
}
