//! What git says changed. Git is started without a shell and only for its plumbing, so that nothing that a repository's
//! own configuration names is run: no hook, no file system monitor, no filter, no external diff, no pager, no transport.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::Read,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::OpenOptionsExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::libc;
use saferun_scanner::{
    Options,
    extract::{crashed, scan_bytes},
};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{
    pool::{self, Outcome},
    walk::{self, Scanned},
};
use crate::{failure::Failure, ui::one_line};

/// Longest list of names that is read from git, in bytes.
const LONGEST_LIST: u64 = 64 * 1024 * 1024;
/// Settings that would make git start a program, each set so that it does not; `daemon/src/watch/commits.rs` has its own.
const SAFE: [&str; 5] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "core.sshCommand=false",
    "submodule.recurse=false",
];

/// Which changes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Changes<'a> {
    /// Files of the working tree that differ from where its branch left this revision, those that git does not know too.
    Since(&'a OsStr),
    /// What the next commit would hold, whatever the working tree holds.
    Staged,
}

/// A file that changed.
#[derive(Debug)]
struct Changed {
    /// Below the top of the repository.
    path: PathBuf,
    content: Content,
}

/// What is scanned.
#[derive(Debug, Clone)]
enum Content {
    /// The object that is staged.
    Staged(String),
    /// The file in the working tree, unless it is still this object.
    Tree(Option<String>),
}

/// Scans what changed: at or under `within`, or in the whole repository.
///
/// # Errors
/// There is no git, no repository or no such revision.
pub(crate) fn scan(
    changes: Changes<'_>,
    within: &[PathBuf],
    options: &Options,
) -> Result<Scanned, Failure> {
    let git = Git::open()?;
    let mut found = match changes {
        Changes::Since(revision) => git.since(revision)?,
        Changes::Staged => git.staged()?,
    };
    let mut scanned = Scanned::default();
    let mut under = Vec::new();
    for path in within {
        match path.canonicalize() {
            Ok(path) => under.push(path),
            Err(error) => scanned
                .unreadable
                .push(format!("{}: {error}", path.display())),
        }
    }
    found.retain(|file| {
        let path = git.top.join(&file.path);
        let inside = within.is_empty() || under.iter().any(|folder| path.starts_with(folder));
        inside && walk::has_ending(&file.path)
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    let contents: HashMap<PathBuf, Content> = found
        .iter()
        .map(|file| (file.path.clone(), file.content.clone()))
        .collect();
    let paths = found.into_iter().map(|file| file.path).collect();
    let options = options.clone();
    let one = move |path: &Path| {
        let bytes = match contents.get(path) {
            Some(Content::Staged(object)) => git.blob(object),
            Some(Content::Tree(before)) => git.file(path).map(|bytes| {
                bytes.filter(|bytes| {
                    before
                        .as_ref()
                        .is_none_or(|before| !is_object(bytes, before))
                })
            }),
            None => Ok(None),
        };
        let shown = path.display().to_string();
        match bytes {
            Ok(Some(bytes)) => Ok(Some(scan_bytes(&shown, &bytes, &options))),
            Ok(None) => Ok(None),
            Err(error) => Err(format!("{shown}: {error}")),
        }
    };
    for outcome in pool::each(paths, one) {
        match outcome {
            Outcome::Done(Ok(report)) => scanned.files.extend(report),
            Outcome::Done(Err(problem)) => scanned.unreadable.push(problem),
            Outcome::Crashed(path, message) => {
                let shown = path.display().to_string();
                scanned.files.push(crashed(&shown, &message));
            }
        }
    }
    scanned.files.sort_by(|a, b| a.name.cmp(&b.name));
    scanned.unreadable.sort();
    Ok(scanned)
}

/// A repository with a working tree.
#[derive(Debug)]
struct Git {
    top: PathBuf,
}

impl Git {
    /// That of the current folder.
    fn open() -> Result<Self, Failure> {
        let mut top = ask(Path::new("."), &["rev-parse", "--show-toplevel"], None)?;
        top.pop_if(|last| *last == b'\n');
        let top = PathBuf::from(OsString::from_vec(top));
        let canonical = top.canonicalize();
        Ok(Self {
            top: canonical.unwrap_or(top),
        })
    }

    fn since(&self, revision: &OsStr) -> Result<Vec<Changed>, Failure> {
        let base = self.base(revision)?;
        // Not a comparison by git, which sends files that it has to look into through the filters of the repository.
        let before = ["ls-tree", "-r", "-z", "--full-tree", &base];
        let before = objects(&ask(&self.top, &before, None)?);
        let now = [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ];
        let now = ask(&self.top, &now, None)?;
        let compare = |path: PathBuf| Changed {
            content: Content::Tree(before.get(&path).cloned()),
            path,
        };
        Ok(names(&now).map(compare).collect())
    }

    /// Where HEAD and a revision parted.
    fn base(&self, revision: &OsStr) -> Result<String, Failure> {
        let mut commit = revision.to_owned();
        commit.push("^{commit}");
        let verify = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let commit = ask(&self.top, &verify, Some(&commit)).map_err(|_| {
            Failure::usage(
                format!("git knows no revision {}", one_line(&revision.to_string_lossy())),
                "name a commit, a branch or a tag; a shallow clone may lack it: git fetch --unshallow",
            )
        })?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        let base = ask(&self.top, &["merge-base", &commit, "HEAD"], None).map_err(|_| {
            Failure::usage(
                format!("{} and HEAD have no commit in common", one_line(&revision.to_string_lossy())),
                "in a shallow clone, fetch the history: git fetch --unshallow, or fetch-depth: 0 for actions/checkout",
            )
        })?;
        Ok(String::from_utf8_lossy(&base).trim().to_owned())
    }

    fn staged(&self) -> Result<Vec<Changed>, Failure> {
        let head = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
        if ask(&self.top, &head, None).is_err() {
            // Before the first commit all that is in the index is new.
            let all = ask(&self.top, &["ls-files", "-z", "--cached", "--stage"], None)?;
            return Ok(staged_entries(&all));
        }
        let compare = [
            "diff-index",
            "-z",
            "--cached",
            "--no-renames",
            "--diff-filter=d",
        ];
        let mut arguments = compare.to_vec();
        arguments.extend(["--ignore-submodules=all", "HEAD", "--"]);
        Ok(differences(&ask(&self.top, &arguments, None)?))
    }

    /// The content of an object, as it is stored.
    fn blob(&self, object: &str) -> std::io::Result<Option<Vec<u8>>> {
        let mut child = command(&self.top)
            .args(["cat-file", "blob", object])
            .stderr(Stdio::null())
            .spawn()?;
        let output = child.stdout.take().map(walk::read);
        // Over the bound it still writes: nobody reads on.
        if !matches!(output, Some(Ok(_))) {
            let _ = child.kill();
        }
        let status = child.wait()?;
        let bytes = output.transpose()?.unwrap_or_default();
        if status.success() {
            return Ok(Some(bytes));
        }
        Err(std::io::Error::other(format!(
            "git has no content for it: object {object}"
        )))
    }

    /// A regular file of the working tree; nothing for a link, a FIFO or a file that is gone meanwhile.
    fn file(&self, path: &Path) -> std::io::Result<Option<Vec<u8>>> {
        let path = self.top.join(path);
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_file() => {}
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        // A folder that became a link: what it leads to is not what git speaks of.
        let folder = path.parent().unwrap_or(&self.top).canonicalize()?;
        if !folder.starts_with(&self.top) {
            return Ok(None);
        }
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)?;
        walk::read(file).map(Some)
    }
}

/// A git that starts no other program.
fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("--no-pager").arg("--literal-pathspecs");
    for setting in SAFE {
        command.args(["-c", setting]);
    }
    command
        .current_dir(folder)
        .env("GIT_OPTIONAL_LOCKS", "0")
        // A partial clone would fetch what it lacks, through whatever its configuration names.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_EXTERNAL_DIFF")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// What git answers, in full or not at all.
fn ask(folder: &Path, arguments: &[&str], last: Option<&OsStr>) -> Result<Vec<u8>, Failure> {
    let failed =
        |why: String| Failure::usage(why, "run it in a git repository, with git installed");
    let mut child = command(folder)
        .args(arguments)
        .args(last)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("git cannot be started: {error}")))?;
    // Read beside the answer, so that neither pipe fills up while the other is waited for.
    let errors = child.stderr.take().map(|stream| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let mut stream = stream;
            let _ = stream.by_ref().take(4096).read_to_end(&mut text);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
            text
        })
    });
    let mut answer = Vec::new();
    let read = child
        .stdout
        .take()
        .map(|stream| stream.take(LONGEST_LIST + 1).read_to_end(&mut answer));
    if answer.len() as u64 > LONGEST_LIST || matches!(read, Some(Err(_))) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed(
            "git lists more changes than 64 MiB of names".to_owned(),
        ));
    }
    let status = child.wait();
    let said = errors
        .and_then(|thread| thread.join().ok())
        .unwrap_or_default();
    match status {
        Ok(status) if status.success() => Ok(answer),
        _ => Err(failed(format!(
            "git {} failed: {}",
            arguments.first().unwrap_or(&""),
            one_line(String::from_utf8_lossy(&said).trim())
        ))),
    }
}

/// The regular files of a raw comparison (git-diff-index(1), "raw output format" with `-z`).
fn differences(raw: &[u8]) -> Vec<Changed> {
    let mut parts = raw.split(|byte| *byte == 0);
    let mut changed = Vec::new();
    while let (Some(head), Some(path)) = (parts.next(), parts.next()) {
        let mut fields = head.split(|byte| *byte == b' ');
        let (mode, object) = (fields.nth(1), fields.nth(1));
        if let (Some(mode), Some(object)) = (mode, object)
            && mode.starts_with(b"100")
        {
            changed.push(Changed {
                path: PathBuf::from(OsStr::from_bytes(path)),
                content: Content::Staged(String::from_utf8_lossy(object).into_owned()),
            });
        }
    }
    changed
}

/// The regular files of a tree (git-ls-tree(1), "default output format") with their objects.
fn objects(raw: &[u8]) -> HashMap<PathBuf, String> {
    let entry = |line: &[u8]| {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let head = String::from_utf8_lossy(line.get(..tab)?).into_owned();
        let object = head.split(' ').nth(2)?.to_owned();
        let path = PathBuf::from(OsStr::from_bytes(line.get(tab + 1..)?));
        head.starts_with("100").then_some((path, object))
    };
    raw.split(|byte| *byte == 0).filter_map(entry).collect()
}

/// Whether bytes are what git keeps under this name (gitformat-loose(5): a blob's hash is that of its header and content).
fn is_object(bytes: &[u8], object: &str) -> bool {
    fn digest<D: Digest>(bytes: &[u8]) -> Vec<u8> {
        let mut hash = D::new();
        hash.update(format!("blob {}\0", bytes.len()));
        hash.update(bytes);
        hash.finalize().to_vec()
    }
    let digest = if object.len() == 64 {
        digest::<Sha256>(bytes)
    } else {
        digest::<Sha1>(bytes)
    };
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16));
    digest.iter().flat_map(digits).eq(object.chars().map(Some))
}

/// The regular files of an index (git-ls-files(1), `--stage`).
fn staged_entries(raw: &[u8]) -> Vec<Changed> {
    let entries = raw.split(|byte| *byte == 0);
    let entry = |line: &[u8]| {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let head = String::from_utf8_lossy(line.get(..tab)?).into_owned();
        let object = head.split(' ').nth(1)?.to_owned();
        head.starts_with("100").then(|| Changed {
            path: PathBuf::from(OsStr::from_bytes(line.get(tab + 1..).unwrap_or_default())),
            content: Content::Staged(object),
        })
    };
    entries.filter_map(entry).collect()
}

fn names(raw: &[u8]) -> impl Iterator<Item = PathBuf> {
    let names = raw.split(|byte| *byte == 0);
    names
        .filter(|name| !name.is_empty())
        .map(|name| PathBuf::from(OsStr::from_bytes(name)))
}
