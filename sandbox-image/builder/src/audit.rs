//! The last look at a root file system: what it must not hold, what it must.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use tar::{Archive, EntryType};

use crate::error::BuildError;

/// Largest sum of file sizes of an image, in bytes.
pub const MAX_IMAGE_BYTES: u64 = 200 * 1000 * 1000;
/// The same for a variant with packages on top.
pub const MAX_VARIANT_BYTES: u64 = 2 * 1000 * 1000 * 1000;

/// Programs that have no business in a sandbox: they install, connect, or raise rights.
const FORBIDDEN: [&str; 30] = [
    "apk",
    "apt",
    "apt-get",
    "aptitude",
    "cargo",
    "conda",
    "curl",
    "dnf",
    "docker",
    "dpkg",
    "easy_install",
    "ftp",
    "gem",
    "mount",
    "nc",
    "ncat",
    "netcat",
    "npm",
    "pip",
    "pip3",
    "rpm",
    "scp",
    "snap",
    "socat",
    "ssh",
    "su",
    "sudo",
    "telnet",
    "wget",
    "yum",
];

/// Files without which no sandbox works.
const REQUIRED: [&str; 5] = [
    "etc/passwd",
    "opt/saferun/hold/usercustomize.py",
    "opt/saferun/init",
    "usr/bin/python3",
    "usr/bin/sh",
];

/// What a sound root file system holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// Number of entries.
    pub entries: u64,
    /// Sum of file sizes in bytes.
    pub bytes: u64,
}

/// Checks the tar file of a root file system, which may have at most so many bytes of files.
///
/// # Errors
/// [`BuildError::Audit`] with every problem found, [`BuildError::Io`] if it cannot be read.
pub fn audit_rootfs(tar: &Path, most: u64) -> Result<Audit, BuildError> {
    let file = File::open(tar).map_err(BuildError::io("cannot read", tar))?;
    let (audit, problems) =
        inspect(BufReader::new(file), most).map_err(BuildError::io("cannot read", tar))?;
    if problems.is_empty() {
        Ok(audit)
    } else {
        Err(BuildError::Audit { problems })
    }
}

fn inspect(tar: impl std::io::Read, most: u64) -> std::io::Result<(Audit, Vec<String>)> {
    let mut audit = Audit {
        entries: 0,
        bytes: 0,
    };
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in Archive::new(tar).entries()? {
        let entry = entry?;
        let header = entry.header();
        let path = entry
            .path()?
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        let kind = header.entry_type();
        let mode = header.mode()?;
        audit.entries += 1;
        audit.bytes += entry.size();
        if mode & 0o6000 != 0 {
            problems.push(format!("{path} is setuid or setgid"));
        }
        if header.uid()? != 0 || header.gid()? != 0 {
            problems.push(format!("{path} does not belong to root"));
        }
        let sticky_folder = kind == EntryType::Directory && mode & 0o1000 != 0;
        if mode & 0o002 != 0 && kind != EntryType::Symlink && !sticky_folder {
            problems.push(format!("{path} is writable for everybody"));
        }
        if !matches!(
            kind,
            EntryType::Directory | EntryType::Regular | EntryType::Symlink
        ) {
            problems.push(format!("{path} is neither a file, a folder nor a link"));
        }
        if is_forbidden(&path) {
            problems.push(format!("{path} must not be in a sandbox"));
        }
        seen.insert(path);
    }
    for path in REQUIRED.iter().filter(|path| !seen.contains(**path)) {
        problems.push(format!("{path} is missing"));
    }
    if audit.bytes > most {
        problems.push(format!("{} bytes are more than {most}", audit.bytes));
    }
    Ok((audit, problems))
}

fn is_forbidden(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else {
        return false;
    };
    let programs = folder.ends_with("bin") && FORBIDDEN.contains(&name);
    programs || matches!(path, "var/lib/dpkg/status" | "etc/apt/sources.list")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::append;
    use crate::tree::{Node, Tree};
    use tar::{Builder, Header};

    fn sound() -> Builder<Vec<u8>> {
        let mut tree = Tree::default();
        for path in REQUIRED {
            tree.file(path, 0o755, "x");
        }
        tree.folder("tmp", 0o1777);
        let mut tar = Builder::new(Vec::new());
        for (path, node) in tree.iter() {
            append(&mut tar, path, node, None).expect("a tar");
        }
        tar
    }

    fn problems(tar: Builder<Vec<u8>>) -> Vec<String> {
        let bytes = tar.into_inner().expect("a tar");
        inspect(bytes.as_slice(), MAX_IMAGE_BYTES)
            .expect("a readable tar")
            .1
    }

    #[test]
    fn a_sound_tree_passes() {
        assert_eq!(problems(sound()), Vec::<String>::new());
    }

    #[test]
    fn each_flaw_is_found() {
        for (path, mode, kind, word) in [
            ("usr/bin/x", 0o4755, EntryType::Regular, "setuid"),
            ("usr/bin/x", 0o2755, EntryType::Regular, "setuid"),
            ("etc/x", 0o666, EntryType::Regular, "everybody"),
            ("dev/x", 0o600, EntryType::Char, "neither"),
            ("usr/bin/apt-get", 0o755, EntryType::Regular, "must not"),
            ("usr/local/bin/pip3", 0o755, EntryType::Regular, "must not"),
        ] {
            let mut tar = sound();
            let mut header = Header::new_gnu();
            header.set_entry_type(kind);
            header.set_mode(mode);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(0);
            tar.append_data(&mut header, path, std::io::empty())
                .expect("a tar");
            let found = problems(tar);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(word), "{found:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut tar = Builder::new(Vec::new());
        append(&mut tar, Path::new("etc"), &Node::Folder(0o755), None).expect("a tar");
        assert_eq!(problems(tar).len(), REQUIRED.len());
    }
}
