//! Which files are scanned, and their content: several threads, nothing that git ignores, no link followed.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use ignore::{DirEntry, WalkBuilder};
use saferun_scanner::{
    Options,
    extract::{ENDINGS, FileReport, crashed, scan_bytes},
};

use super::pool::{self, Outcome};

/// Largest file that is read, in bytes.
const LARGEST: u64 = 32 * 1024 * 1024;

/// What was scanned, and what could not be.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    /// Reports, in order of path.
    pub(crate) files: Vec<FileReport>,
    /// Paths that could not be read, with the reason.
    pub(crate) unreadable: Vec<String>,
}

/// Scans files and folders.
pub(crate) fn scan(paths: &[PathBuf], options: &Options) -> Scanned {
    let Some((first, rest)) = paths.split_first() else {
        return Scanned::default();
    };
    let mut builder = WalkBuilder::new(first);
    for path in rest {
        builder.add(path);
    }
    // Hidden files run as well as others; what is in .git is git's.
    builder
        .hidden(false)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git");
    let mut scanned = Scanned::default();
    let mut found = Vec::new();
    for entry in builder.build() {
        match entry.map_err(|error| error.to_string()) {
            Ok(entry) => match wanted(&entry) {
                Ok(true) => found.push(entry.into_path()),
                Ok(false) => {}
                Err(problem) => scanned.unreadable.push(problem),
            },
            Err(problem) => scanned.unreadable.push(problem),
        }
    }
    found.sort();
    found.dedup();
    let options = options.clone();
    for outcome in pool::each(found, move |path| one(path, &options)) {
        match outcome {
            Outcome::Done(Ok(report)) => scanned.files.push(report),
            Outcome::Done(Err(problem)) => scanned.unreadable.push(problem),
            Outcome::Crashed(path, message) => {
                scanned
                    .files
                    .push(crashed(&path.display().to_string(), &message));
            }
        }
    }
    scanned.files.sort_by(|a, b| a.name.cmp(&b.name));
    scanned.unreadable.sort();
    scanned
}

/// Whether an entry is to be scanned.
fn wanted(entry: &DirEntry) -> Result<bool, String> {
    let path = entry.path();
    if let Some(error) = entry.error() {
        return Err(format!("{}: {error}", path.display()));
    }
    let named_itself = entry.depth() == 0;
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    if is_dir || !(named_itself || has_ending(path)) {
        return Ok(false);
    }
    // A FIFO or a device in a folder would block; one that is named is wanted.
    Ok(named_itself || entry.file_type().is_some_and(|kind| kind.is_file()))
}

/// The report of a file.
fn one(path: &Path, options: &Options) -> Result<FileReport, String> {
    let shown = path.display().to_string();
    let read = || read(File::open(path)?);
    match read() {
        Ok(bytes) => Ok(scan_bytes(&shown, &bytes, options)),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

/// All bytes, up to the bound.
pub(crate) fn read(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("larger than 32 MiB"));
    }
    Ok(bytes)
}

pub(crate) fn has_ending(path: &Path) -> bool {
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .map(str::to_ascii_lowercase);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_gives_its_python_but_not_what_git_ignores() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path(".git")).unwrap();
        fs::create_dir_all(path("venv")).unwrap();
        fs::write(path(".gitignore"), "venv/\n").unwrap();
        for name in [
            "b.py",
            "a.PY",
            "notes.txt",
            ".hidden.py",
            "venv/c.py",
            ".git/d.py",
        ] {
            fs::write(path(name), "x = 1\n").unwrap();
        }
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let scanned = scan(paths, &Options::default());
            assert!(scanned.unreadable.is_empty());
            let base = |file: &FileReport| file.name.rsplit('/').next().unwrap().to_owned();
            scanned.files.iter().map(base).collect()
        };
        assert_eq!(
            names(&[dir.path().to_owned()]),
            [".hidden.py", "a.PY", "b.py"]
        );
        assert_eq!(
            names(&[path("notes.txt"), path("notes.txt")]),
            ["notes.txt"]
        );
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let scanned = scan(&[PathBuf::from("/nonexistent/a.py")], &Options::default());
        assert!(scanned.files.is_empty());
        assert!(
            scanned.unreadable[0].contains("/nonexistent/a.py"),
            "{:?}",
            scanned.unreadable
        );
    }
}
