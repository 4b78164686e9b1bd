//! Takes all rights from a file, and gives them back: only through an opened descriptor, only to a file of the daemon's
//! own user, only with the content that was judged, and only once the record says what it was like before.

use std::{
    fs::File,
    io,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use nix::sys::stat::{Mode, SFlag};
use sha2::{Digest, Sha256};

use super::{
    beneath::{self, Found},
    patience::patiently,
    scan::{LARGEST, reason},
    survey::hexadecimal,
};
use crate::audit::{Audit, Held};

/// Why a file was left as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum Left {
    /// Another user's.
    #[error("it belongs to another user")]
    Foreign,
    /// Its rights are those of another name too.
    #[error("it has another name (a hard link) elsewhere, which would lose its rights too")]
    Linked,
    /// Not what was judged.
    #[error("its content changed since")]
    Changed,
    /// Not mode 0000.
    #[error("it is not in quarantine: its mode is {0:04o}")]
    Free(u32),
    /// Nothing is known of it.
    #[error("the record knows of no quarantine of it")]
    Unknown,
    /// Not to be opened.
    #[error("{}", reason(.0))]
    Io(#[from] io::Error),
    /// Without a record nothing is changed.
    #[error("the record cannot be used: {0}")]
    Record(#[from] crate::audit::AuditError),
}

/// A file that was to be put in quarantine, and what became of it instead.
#[derive(Debug)]
pub(super) struct NotHeld {
    pub(super) why: Left,
    /// Its mode was changed on the way: the kernel tells of that, and the file is looked at again.
    pub(super) touched: bool,
    /// It has no rights all the same, or may have none: it had none before, or they could not be given back.
    pub(super) without_rights: bool,
}

impl From<Left> for NotHeld {
    fn from(why: Left) -> Self {
        Self {
            why,
            touched: false,
            without_rights: false,
        }
    }
}

/// A regular file of this user's, held by a descriptor.
struct Own {
    found: Found,
    mode: u32,
}

impl Own {
    fn open(root: &Path, relative: &Path) -> Result<Self, Left> {
        let found = beneath::look(&beneath::root(root)?, relative)?;
        let stamp = found.stamp;
        if !stamp.is_file() {
            return Err(Left::Io(io::Error::other("not a regular file")));
        }
        if found.owner()? != nix::unistd::geteuid().as_raw() {
            return Err(Left::Foreign);
        }
        let mode = stamp.mode & !SFlag::S_IFMT.bits();
        Ok(Self { found, mode })
    }

    fn sha256(&self) -> Result<String, Left> {
        Ok(hexadecimal(&Sha256::digest(self.found.read(LARGEST)?)))
    }

    /// Through the magic link of the descriptor, which leads to this very file: `fchmod` knows no `O_PATH`.
    fn set_mode(&self, mode: u32) -> Result<(), Left> {
        let permissions = std::fs::Permissions::from_mode(mode);
        Ok(std::fs::set_permissions(self.found.magic(), permissions)?)
    }
}

/// What owner, group and others may do.
const RIGHTS: u32 = 0o777;

/// Takes all rights from a file, if its content is still what was judged. Returns its mode before. A file system that
/// does not answer in time is an error ([`super::patience`]). The record says that a quarantine ended only of a file that
/// has its rights.
pub(super) async fn hold(
    audit: &Audit,
    root: &Path,
    relative: &Path,
    sha256: &str,
    rules: Vec<String>,
) -> Result<u32, NotHeld> {
    let (file, held) = recorded(audit, root, relative, sha256, rules).await?;
    let (folder, name, judged) = (root.to_owned(), relative.to_owned(), sha256.to_owned());
    let taken = patiently(move || file.take_rights(&folder, &name, &judged)).await;
    let taken = taken.unwrap_or_else(|error| {
        // It may still be done later.
        Err(NotHeld {
            why: Left::Io(error),
            touched: true,
            without_rights: true,
        })
    });
    let Err(mut not_held) = taken else {
        return Ok(held.mode);
    };
    if !not_held.without_rights {
        let uid = nix::unistd::geteuid().as_raw();
        if let Err(error) = audit.hold(uid, &held, true).await {
            not_held.why = error.into();
        }
    }
    Err(not_held)
}

/// The file, and what the record now says of its quarantine, which is still to come.
async fn recorded(
    audit: &Audit,
    root: &Path,
    relative: &Path,
    sha256: &str,
    rules: Vec<String>,
) -> Result<(JudgedFile, Held), Left> {
    let (folder, name, judged) = (root.to_owned(), relative.to_owned(), sha256.to_owned());
    let file = patiently(move || judged_file(&folder, &name, &judged)).await??;
    let uid = nix::unistd::geteuid().as_raw();
    let mut mode = file.own.mode;
    if mode & RIGHTS == 0 {
        // Root's daemon reads it all the same: what is to come back is what it had the first time.
        let (reader, name) = (audit.clone(), key(&root.join(relative)));
        let before = tokio::task::spawn_blocking(move || reader.held(uid, &name))
            .await
            .map_err(|error| Left::Io(io::Error::other(error)))??;
        mode = before.map_or(mode, |held| held.mode);
    }
    let held = Held {
        file: key(&root.join(relative)),
        mode,
        sha256: sha256.to_owned(),
        rules,
    };
    audit.hold(uid, &held, false).await?;
    Ok((file, held))
}

/// A file that was judged, open for reading: what it holds can be looked at after it lost its rights.
struct JudgedFile {
    own: Own,
    open: File,
}

/// The file, if it may be put in quarantine and still is what was judged.
fn judged_file(root: &Path, relative: &Path, sha256: &str) -> Result<JudgedFile, Left> {
    let own = Own::open(root, relative)?;
    let open = own.found.reopen()?;
    let file = JudgedFile { own, open };
    file.is_still(sha256)?;
    Ok(file)
}

impl JudgedFile {
    fn is_still(&self, sha256: &str) -> Result<(), Left> {
        let found = &self.own.found;
        if found.stamp_now()?.links > 1 {
            return Err(Left::Linked);
        }
        let bytes = found.read_from(&self.open, LARGEST)?;
        if hexadecimal(&Sha256::digest(bytes)) != sha256 {
            return Err(Left::Changed);
        }
        Ok(())
    }

    /// Whether the name still leads to this file. Compared as it is now: in an overlay, a file whose mode is changed may
    /// become another one below, with another number.
    fn is_at(&self, root: &Path, relative: &Path) -> Result<(), Left> {
        let there = beneath::look(&beneath::root(root)?, relative)?.stamp;
        let own = self.own.found.stamp_now()?;
        let same = (there.dev, there.ino) == (own.dev, own.ino);
        same.then_some(()).ok_or(Left::Changed)
    }

    /// Takes all rights, and gives them back if the file was written, replaced or linked since it was looked at: the
    /// record is made in between, which may take a while.
    fn take_rights(&self, root: &Path, relative: &Path, sha256: &str) -> Result<(), NotHeld> {
        // Without setuid and setgid: who wrote it would have them for another content.
        let rights = self.own.mode & RIGHTS;
        self.own.set_mode(0).map_err(|why| NotHeld {
            why,
            touched: false,
            without_rights: rights == 0,
        })?;
        let still = self.is_still(sha256);
        let still = still.and_then(|()| self.is_at(root, relative));
        still.map_err(|why| NotHeld {
            why,
            touched: true,
            without_rights: rights == 0 || self.own.set_mode(rights).is_err(),
        })
    }
}

/// The mode while it is looked at before it is given back.
const READ_BY_OWNER: u32 = Mode::S_IRUSR.bits();

/// Gives a file the rights back that it had before, and returns the hash of its content.
/// `settle` is told that hash before anybody can read the file again, whatever comes of it.
pub(super) async fn release(
    audit: &Audit,
    folder: &Path,
    name: &Path,
    settle: impl FnOnce(&str),
) -> Result<String, Left> {
    let (place, file): (PathBuf, PathBuf) = (folder.to_owned(), name.to_owned());
    let own = patiently(move || Own::open(&place, &file)).await??;
    // A daemon that was killed in the middle of this has left its owner the right to read it, and nothing else.
    if !matches!(own.mode, 0 | READ_BY_OWNER) {
        return Err(Left::Free(own.mode));
    }
    let (reader, file) = (audit.clone(), key(&folder.join(name)));
    let uid = nix::unistd::geteuid().as_raw();
    let held = tokio::task::spawn_blocking(move || reader.held(uid, &file))
        .await
        .map_err(|error| Left::Io(io::Error::other(error)))??
        .ok_or(Left::Unknown)?;
    settle(&held.sha256);
    let judged = held.sha256.clone();
    let (own, checked) = patiently(move || {
        // Nobody else may read it meanwhile.
        let checked = own.set_mode(READ_BY_OWNER).and_then(|()| own.sha256());
        let checked = checked.and_then(|now| (now == judged).then_some(()).ok_or(Left::Changed));
        (own, checked)
    })
    .await?;
    let recorded = match checked {
        Ok(()) => audit.hold(uid, &held, true).await.map_err(Left::from),
        Err(left) => Err(left),
    };
    // Never with setuid or setgid: who had it open for writing all the time may have changed it by now.
    let mode = recorded.as_ref().map_or(0, |()| held.mode & RIGHTS);
    patiently(move || own.set_mode(mode)).await??;
    recorded.map(|()| held.sha256)
}

/// How the record names a file.
fn key(path: &Path) -> String {
    path.to_str().map_or_else(
        || format!("base64:{}", STANDARD.encode(path.as_os_str().as_bytes())),
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_file_that_changes_while_its_quarantine_is_recorded_has_its_rights_back() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let (file, name) = (root.join("a.py"), Path::new("a.py"));
        let sha256 = hexadecimal(&Sha256::digest("x"));
        let make = || {
            fs::write(&file, "x").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
            judged_file(&root, name, &sha256).unwrap()
        };
        let given_back = |not_held: NotHeld| {
            assert!(not_held.touched && !not_held.without_rights, "{not_held:?}");
            not_held.why
        };
        let judged = make();
        fs::write(&file, "y").unwrap();
        let written = judged.take_rights(&root, name, &sha256).map_err(given_back);
        assert!(matches!(written, Err(Left::Changed)), "{written:?}");
        assert_eq!(mode(&file), 0o640);

        let judged = make();
        fs::hard_link(&file, root.join("b.py")).unwrap();
        let linked = judged.take_rights(&root, name, &sha256).map_err(given_back);
        assert!(matches!(linked, Err(Left::Linked)), "{linked:?}");
        fs::remove_file(root.join("b.py")).unwrap();
        assert_eq!(mode(&file), 0o640);

        let judged = make();
        fs::rename(&file, root.join("c.py")).unwrap();
        fs::write(&file, "x").unwrap();
        let replaced = judged.take_rights(&root, name, &sha256).map_err(given_back);
        assert!(matches!(replaced, Err(Left::Changed)), "{replaced:?}");
        assert_eq!(mode(&root.join("c.py")), 0o640);
        assert_ne!(mode(&file), 0);

        make().take_rights(&root, name, &sha256).unwrap();
        assert_eq!(mode(&file), 0);
    }

    /// As root's daemon finds it, which reads it all the same.
    #[test]
    fn a_file_without_rights_that_changes_is_not_told_to_have_any_back() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let (file, name) = (root.join("a.py"), Path::new("a.py"));
        fs::write(&file, "x").unwrap();
        let sha256 = hexadecimal(&Sha256::digest("x"));
        let mut judged = judged_file(&root, name, &sha256).unwrap();
        judged.own.mode = 0;
        fs::write(&file, "y").unwrap();
        let not_held = judged.take_rights(&root, name, &sha256).unwrap_err();
        assert!(matches!(not_held.why, Left::Changed), "{not_held:?}");
        assert!(not_held.touched && not_held.without_rights, "{not_held:?}");
        assert_eq!(mode(&file), 0);
    }

    #[tokio::test]
    async fn rights_are_taken_from_what_was_judged_alone_and_come_back_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let audit = Audit::open(root.join("audit.sqlite"), None).unwrap();
        let file = root.join("a.py");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o751)).unwrap();
        symlink("a.py", root.join("link.py")).unwrap();
        let sha256 = hexadecimal(&Sha256::digest("x"));
        let take = |name: &'static str, sha256: String| {
            let (audit, root) = (audit.clone(), root.clone());
            async move { hold(&audit, &root, Path::new(name), &sha256, Vec::new()).await }
        };
        assert!(take("link.py", sha256.clone()).await.is_err());
        let left = |not_held: NotHeld| {
            assert!(
                !not_held.touched && !not_held.without_rights,
                "{not_held:?}"
            );
            not_held.why
        };
        let other = take("a.py", "0".repeat(64)).await.map_err(left);
        assert!(matches!(other, Err(Left::Changed)), "{other:?}");
        fs::hard_link(&file, root.join("b.py")).unwrap();
        let linked = take("a.py", sha256.clone()).await.map_err(left);
        assert!(matches!(linked, Err(Left::Linked)), "{linked:?}");
        fs::remove_file(root.join("b.py")).unwrap();
        assert_eq!(mode(&file), 0o751);
        let free = release(&audit, &root, Path::new("a.py"), |_| {}).await;
        assert!(matches!(free, Err(Left::Free(0o751))));

        assert_eq!(take("a.py", sha256.clone()).await.unwrap(), 0o751);
        assert_eq!(mode(&file), 0);
        assert!(
            release(&audit, &root, Path::new("link.py"), |_| {})
                .await
                .is_err()
        );
        release(&audit, &root, Path::new("a.py"), |_| {})
            .await
            .unwrap();
        assert_eq!(mode(&file), 0o751);

        take("a.py", sha256).await.unwrap();
        fs::remove_file(&file).unwrap();
        fs::write(&file, "another").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o0)).unwrap();
        let changed = release(&audit, &root, Path::new("a.py"), |_| {}).await;
        assert!(matches!(changed, Err(Left::Changed)), "{changed:?}");
        assert_eq!(mode(&file), 0);
        fs::write(root.join("c.py"), "x").unwrap();
        fs::set_permissions(root.join("c.py"), fs::Permissions::from_mode(0o0)).unwrap();
        let unknown = release(&audit, &root, Path::new("c.py"), |_| {}).await;
        assert!(matches!(unknown, Err(Left::Unknown)), "{unknown:?}");
    }
}
