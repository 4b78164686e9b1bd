//! `--out DIR`: writes what a run left in `/out`. The names come from the sandbox: each is checked, and no link is
//! followed below the folder, whoever put it there.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::fd::OwnedFd,
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use nix::{
    errno::Errno,
    fcntl::{OFlag, open, openat, renameat},
    sys::stat::{Mode, mkdirat},
    unistd::{UnlinkatFlags, unlinkat},
};
use saferun_protocol::{Artifact, check_path};

use crate::ui::{self, one_line};

/// What became of the artifacts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Names that were written.
    pub(crate) written: Vec<String>,
    /// What was not, with the reason.
    pub(crate) failed: Vec<String>,
}

/// Writes the artifacts below a folder, which is made if it is missing. One without content is a failure of its own,
/// unless it is `told` already that some were left behind.
pub(crate) fn save(folder: &Path, artifacts: &[Artifact], told: bool, force: bool) -> Saved {
    let mut saved = Saved::default();
    let root = fs::create_dir_all(folder).and_then(|()| Ok(open(folder, FOLDER, Mode::empty())?));
    let root = match root {
        Ok(root) => root,
        Err(error) => {
            let folder = ui::path(folder);
            saved
                .failed
                .push(format!("cannot use {folder} for --out: {error}"));
            return saved;
        }
    };
    let to_save = |artifact: &&Artifact| artifact.content_base64.is_some() || !told;
    for artifact in artifacts.iter().filter(to_save) {
        let name = one_line(&artifact.path);
        match one(&root, artifact, force) {
            Ok(()) => saved.written.push(name),
            Err(why) => saved.failed.push(format!("{name} was not saved: {why}")),
        }
    }
    saved
}

const FOLDER: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_CLOEXEC);

fn one(root: &OwnedFd, artifact: &Artifact, force: bool) -> Result<(), String> {
    // Whoever lists the folder would meet it, in programs that escape nothing (CWE-150).
    if one_line(&artifact.path) != artifact.path {
        return Err(
            "its name acts on a terminal, or is not what it looks like; --json has its content"
                .to_owned(),
        );
    }
    check_path(&artifact.path).map_err(|error| error.to_string())?;
    let content = artifact.content_base64.as_deref();
    let content = content.ok_or("its content did not come back")?;
    let content = STANDARD
        .decode(content)
        .map_err(|error| error.to_string())?;
    let (above, name) = artifact
        .path
        .rsplit_once('/')
        .unwrap_or(("", &artifact.path));
    let mut folder = root.try_clone().map_err(|error| error.to_string())?;
    for part in above.split('/').filter(|part| !part.is_empty()) {
        folder = below(&folder, part).map_err(|error| format!("{part}: {error}"))?;
    }
    write(&folder, name, &content, force).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => "it is there already; --force replaces it".to_owned(),
        _ => error.to_string(),
    })
}

fn below(folder: &OwnedFd, part: &str) -> io::Result<OwnedFd> {
    match mkdirat(folder, part, Mode::from_bits_truncate(0o755)) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(openat(
        folder,
        part,
        FOLDER | OFlag::O_NOFOLLOW,
        Mode::empty(),
    )?)
}

/// A new file; with `force` in the place of what was there, in one step.
fn write(folder: &OwnedFd, name: &str, content: &[u8], force: bool) -> io::Result<()> {
    let new =
        OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mode = Mode::from_bits_truncate(0o644);
    if !force {
        let mut file = File::from(openat(folder, name, new, mode)?);
        return file.write_all(content);
    }
    let beside = format!(".saferun-{}.tmp", std::process::id());
    let mut file = File::from(openat(folder, beside.as_str(), new, mode)?);
    let placed = file
        .write_all(content)
        .and_then(|()| Ok(renameat(folder, beside.as_str(), folder, name)?));
    if placed.is_err() {
        let _ = unlinkat(folder, beside.as_str(), UnlinkatFlags::NoRemoveDir);
    }
    placed
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn artifact(path: &str, content: &[u8]) -> Artifact {
        let mut artifact = Artifact::new(path.to_owned(), content.len() as u64);
        artifact.content_base64 = Some(STANDARD.encode(content));
        artifact
    }

    #[test]
    fn i4_files_are_written_below_the_folder_only_and_over_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        let out = dir.path().join("out");
        fs::create_dir_all(&out).unwrap();
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("kept"), "kept").unwrap();
        symlink(&outside, out.join("link")).unwrap();
        symlink(outside.join("kept"), out.join("file-link")).unwrap();
        fs::write(out.join("old"), "old").unwrap();
        let artifacts = [
            artifact("a/b.txt", b"new"),
            artifact("../evil", b"x"),
            artifact("/tmp/saferun-evil", b"x"),
            artifact("link/evil", b"x"),
            artifact("file-link", b"x"),
            artifact("old", b"x"),
            artifact("\x1b]0;owned\x07.txt", b"x"),
            artifact("\u{202e}txt.exe", b"x"),
            artifact("two\nlines", b"x"),
            artifact("Grüße \u{2764}.txt", b"x"),
            Artifact::new("too-large".to_owned(), 1 << 40),
        ];
        let saved = save(&out, &artifacts, true, false);
        assert_eq!(saved.written, ["a/b.txt", "Grüße \u{2764}.txt"]);
        assert_eq!(saved.failed.len(), 8, "{:?}", saved.failed);
        assert_eq!(fs::read_dir(&out).unwrap().count(), 5);
        assert_eq!(fs::read_to_string(out.join("old")).unwrap(), "old");
        let forced = save(&out, &artifacts, false, true);
        let without_content = "too-large was not saved: its content did not come back";
        assert_eq!(
            forced.failed.last().map(String::as_str),
            Some(without_content)
        );
        assert!(!out.join("too-large").exists());
        assert_eq!(
            forced.written,
            ["a/b.txt", "file-link", "old", "Grüße \u{2764}.txt"]
        );
        assert_eq!(fs::read_to_string(out.join("old")).unwrap(), "x");
        // The link was replaced, not followed.
        assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "kept");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        assert!(!Path::new("/tmp/saferun-evil").exists());
    }
}
