//! Which files go in with a run: a project without what git ignores and without secrets, single files that were named,
//! and the local modules that a lone script imports. Follows no link.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io::Read,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use ignore::{
    WalkBuilder,
    gitignore::{Gitignore, GitignoreBuilder},
};
use saferun_protocol::{MAX_INPUT_FILES, MAX_REQUEST_BYTES, check_path};

use super::{modules, secrets};
use crate::{args::RunArgs, failure::Failure, ui, units::show_bytes};

/// What a script without a file is called.
pub(super) const SCRIPT: &str = "main.py";
/// Files of a project that are considered; one more than may go in says as much as a million more.
const MOST_CONSIDERED: usize = MAX_INPUT_FILES * 4;
/// What is looked at to find them, folders and what does not go in among it.
const MOST_LOOKED_AT: usize = 1_000_000;
/// Most bytes of all files together: as base64 they must fit into one request.
const MOST: u64 = MAX_REQUEST_BYTES as u64 / 4 * 3 - 64 * 1024;

/// Said where a walk came to one of these bounds.
const CUT: &str = "the folder is too large to be looked at as a whole: what lies beyond is neither sent nor named";

/// A file of the user's that goes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Original {
    pub(crate) bytes: Vec<u8>,
    pub(crate) executable: bool,
}

/// What goes in beside the script.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// By path below the workspace.
    pub(crate) files: BTreeMap<String, Original>,
    /// Path of the script below the workspace, if it is not just its name.
    pub(crate) script: Option<String>,
    /// Secrets that were left out, by path.
    pub(crate) left_out: Vec<String>,
    /// Other things that do not go in, in sentences.
    pub(crate) notes: Vec<String>,
    total: u64,
}

/// Gathers the files that the command line asks for.
pub(crate) fn gather(args: &RunArgs, source: &[u8]) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    let script = args.file.as_deref().filter(|path| path.as_os_str() != "-");
    match (&args.workspace, script) {
        (Some(folder), script) => sent.project(folder, script, &args.include)?,
        (None, Some(script)) => {
            for (path, file) in modules::of(script, source) {
                sent.add(path, &file)?;
            }
        }
        (None, None) => {}
    }
    for named in &args.files {
        sent.named(named)?;
    }
    Ok(sent)
}

impl Sent {
    /// A project, with a script in it or one that comes from elsewhere.
    fn project(
        &mut self,
        folder: &Path,
        script: Option<&Path>,
        include: &[String],
    ) -> Result<(), Failure> {
        let root = canonical(folder)?;
        let script = match script {
            Some(script) => {
                let file = locate(folder, script)?;
                let below = file.strip_prefix(&root).ok().and_then(Path::to_str);
                below.unwrap_or_default().to_owned()
            }
            None => free_name(&root),
        };
        let wanted = patterns(&root, include)?;
        // What git ignores goes in only by its name, and so do secrets.
        let mut walked = walk(&root, true, MOST_LOOKED_AT, |_| true);
        for path in &walked.files {
            self.consider(&root, path, &script, &wanted, true)?;
        }
        if !include.is_empty() {
            // Of what git ignores, often most of a project, only what is meant is remembered.
            let meant = |path: &Path| is_named(&wanted, path) || is_secret_below(&root, path);
            let named = walk(&root, false, MOST_LOOKED_AT, meant);
            for path in &named.files {
                self.consider(&root, path, &script, &wanted, false)?;
            }
            walked.cut |= named.cut;
        }
        if walked.cut {
            // Before all else: only so many notes are kept.
            self.notes.insert(0, CUT.to_owned());
        }
        self.script = Some(script);
        self.left_out.sort();
        self.left_out.dedup();
        Ok(())
    }

    fn consider(
        &mut self,
        root: &Path,
        path: &Path,
        script: &str,
        wanted: &Gitignore,
        all: bool,
    ) -> Result<(), Failure> {
        let Some(below) = path.strip_prefix(root).ok().and_then(Path::to_str) else {
            self.note(format!(
                "{} is left out: its name is not UTF-8",
                ui::path(path)
            ));
            return Ok(());
        };
        if below == script || self.files.contains_key(below) {
            return Ok(());
        }
        if !is_named(wanted, path) {
            if secrets::is_secret(below) {
                self.left_out.push(below.to_owned());
                return Ok(());
            }
            if !all {
                return Ok(());
            }
        }
        if let Err(error) = check_path(below) {
            self.note(format!("{below:?} is left out: {error}"));
            return Ok(());
        }
        self.add(below.to_owned(), path)
    }

    /// `PATH` or `PATH:DEST`. A folder is no file.
    fn named(&mut self, named: &str) -> Result<(), Failure> {
        let (from, to) = match named.rsplit_once(':') {
            Some((from, to)) if !from.is_empty() && !to.is_empty() => (from, to.to_owned()),
            _ => {
                let name = Path::new(named).file_name().and_then(|name| name.to_str());
                (named, name.unwrap_or(named).to_owned())
            }
        };
        let to = to.strip_prefix("/workspace/").unwrap_or(&to).to_owned();
        check_path(&to).map_err(|error| {
            Failure::usage(
                format!("--file {named}: {error}"),
                "the place is a path below /workspace: --file data.csv:input/data.csv",
            )
        })?;
        // A link that was named is followed: it is the user's word.
        let path = Path::new(from).canonicalize().map_err(|error| {
            Failure::usage(
                format!("cannot read {from} for --file: {error}"),
                "check the path",
            )
        })?;
        if !path.is_file() {
            return Err(Failure::usage(
                format!("{from} is not a regular file"),
                "name a file; a whole folder goes in with --workspace",
            ));
        }
        self.files.remove(&to);
        self.add(to, &path)
    }

    fn add(&mut self, below: String, path: &Path) -> Result<(), Failure> {
        let read = |mut file: File| -> std::io::Result<Option<Original>> {
            let meta = file.metadata()?;
            if !meta.is_file() {
                return Ok(None);
            }
            // Room for all of it at once: else it is read in a dozen pieces that double.
            let size = usize::try_from(meta.len().min(MOST)).unwrap_or(0);
            let mut bytes = Vec::with_capacity(size);
            file.by_ref().take(MOST + 1).read_to_end(&mut bytes)?;
            let executable = meta.permissions().mode() & 0o100 != 0;
            Ok(Some(Original { bytes, executable }))
        };
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
            .open(path);
        let original = match opened.and_then(read) {
            Ok(Some(original)) => original,
            Ok(None) => return Ok(()),
            Err(error) => {
                self.note(format!("{below:?} is left out: {error}"));
                return Ok(());
            }
        };
        self.total += original.bytes.len() as u64;
        let largest = || {
            let files = self
                .files
                .iter()
                .map(|(path, file)| (file.bytes.len(), path.as_str()));
            let largest = files.chain([(original.bytes.len(), below.as_str())]).max();
            largest.map_or_else(String::new, |(size, path)| {
                format!("; the largest is {path} with {}", show_bytes(size as u64))
            })
        };
        if self.total > MOST || self.files.len() >= MAX_INPUT_FILES {
            return Err(Failure::usage(
                format!(
                    "the files are too many or too large to be sent: at most {} and {MAX_INPUT_FILES} files{}",
                    show_bytes(MOST),
                    largest()
                ),
                "leave out what the run does not need: .gitignore counts, and so does a file .ignore",
            ));
        }
        self.files.insert(below, original);
        Ok(())
    }

    fn note(&mut self, text: String) {
        if self.notes.len() < 8 {
            self.notes.push(text);
        }
    }
}

/// What became of a walk through a project.
struct Walked {
    files: BTreeSet<PathBuf>,
    /// Whether there may be more.
    cut: bool,
}

/// Regular files below a folder that are meant, within bounds. Hidden ones are files like others; what is in .git is git's.
fn walk(root: &Path, heed_git: bool, most: usize, meant: impl Fn(&Path) -> bool) -> Walked {
    let entries = WalkBuilder::new(root)
        .standard_filters(false)
        .ignore(heed_git)
        .git_ignore(heed_git)
        .git_exclude(heed_git)
        .git_global(heed_git)
        .parents(heed_git)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| !matches!(entry.file_name().to_str(), Some(".git" | "__pycache__")))
        .build();
    let mut walked = Walked {
        files: BTreeSet::new(),
        cut: false,
    };
    for (looked_at, entry) in entries.enumerate() {
        if looked_at >= most || walked.files.len() >= MOST_CONSIDERED {
            walked.cut = true;
            break;
        }
        let file = entry
            .ok()
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .map(ignore::DirEntry::into_path);
        if let Some(path) = file.filter(|path| meant(path)) {
            walked.files.insert(path);
        }
    }
    walked
}

/// Whether `--include` names a path, or a folder above it.
fn is_named(wanted: &Gitignore, path: &Path) -> bool {
    wanted.matched_path_or_any_parents(path, false).is_ignore()
}

fn is_secret_below(root: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(root).ok().and_then(Path::to_str);
    below.is_some_and(secrets::is_secret)
}

/// The script's file in the workspace: named from here, or from there.
pub(crate) fn locate(folder: &Path, script: &Path) -> Result<PathBuf, Failure> {
    let root = canonical(folder)?;
    let beside = root.join(script);
    let inside = [script, &beside].into_iter().find_map(|candidate| {
        let path = fs::canonicalize(candidate).ok()?;
        path.starts_with(&root).then_some(path)
    });
    inside.ok_or_else(|| {
        Failure::usage(
            format!(
                "{} is not in the workspace {}",
                ui::path(script),
                ui::path(&root)
            ),
            "name a script in that folder",
        )
    })
}

/// A name in the folder that no file has: a script from elsewhere stands beside the project's files.
fn free_name(root: &Path) -> String {
    let others = (2..).map(|number| format!("main-{number}.py"));
    let mut names = std::iter::once(SCRIPT.to_owned()).chain(others);
    names
        .find(|name| fs::symlink_metadata(root.join(name)).is_err())
        .unwrap_or_else(|| SCRIPT.to_owned())
}

fn canonical(folder: &Path) -> Result<PathBuf, Failure> {
    folder.canonicalize().map_err(|error| {
        let shown = ui::path(folder);
        Failure::usage(
            format!("cannot use {shown} as a workspace: {error}"),
            "name a folder",
        )
    })
}

fn patterns(root: &Path, include: &[String]) -> Result<Gitignore, Failure> {
    let mut builder = GitignoreBuilder::new(root);
    for pattern in include {
        builder.add_line(None, pattern).map_err(|error| {
            Failure::usage(
                format!("--include {pattern} is no pattern: {error}"),
                "write it as in .gitignore: --include .env",
            )
        })?;
    }
    builder
        .build()
        .map_err(|error| Failure::usage(format!("--include: {error}"), "write it as in .gitignore"))
}

#[cfg(test)]
#[path = "workspace_tests.rs"]
mod tests;
