//! systemd's units of the daemon: their text, and their files. Only files that this module wrote, and that nobody
//! has changed since, are ever replaced or removed.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// First words of each file that was written here; the SHA-256 of what follows that line comes next.
const MARK: &str = "# written by saferunctl daemon install, sha256 ";
/// A unit longer than this is none of ours, in bytes.
const MOST: u64 = 64 * 1024;

/// Whose service manager it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manager {
    /// The one that starts with the user's session.
    User,
    /// The one that starts with the machine.
    System,
}

/// What stands where a unit belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Free,
    /// What we wrote.
    Ours,
    /// Another's, or ours with changes.
    Foreign,
}

/// One unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Name of its file.
    pub(crate) name: &'static str,
    text: String,
}

/// The units, for a daemon at `program` with its state in `state`; an error says which path systemd cannot be given.
pub(crate) fn units(manager: Manager, program: &Path, state: &Path) -> Result<[Unit; 2], String> {
    let (socket, service) = match manager {
        Manager::User => (
            include_str!("../../../systemd/user/saferund.socket"),
            include_str!("../../../systemd/user/saferund.service"),
        ),
        Manager::System => (
            include_str!("../../../systemd/system/saferund.socket"),
            include_str!("../../../systemd/system/saferund.service"),
        ),
    };
    let service = service
        .replace("=/usr/bin/saferund", &format!("={}", plain(program)?))
        .replace("=%h/.local/state/saferun", &format!("={}", plain(state)?));
    Ok([
        Unit {
            name: "saferund.socket",
            text: socket.to_owned(),
        },
        Unit {
            name: "saferund.service",
            text: service,
        },
    ])
}

/// A path that means itself in a unit. What would have to be quoted is refused instead.
fn plain(path: &Path) -> Result<&str, String> {
    path.to_str()
        .filter(|text| {
            text.starts_with('/')
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c))
        })
        .ok_or_else(|| {
            format!(
                "{} has characters that mean something to systemd",
                path.display()
            )
        })
}

impl Unit {
    /// Its file in this folder.
    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(self.name)
    }

    /// What stands in its place. A link is another's, wherever it leads.
    pub(crate) fn standing(&self, folder: &Path) -> io::Result<Standing> {
        let path = self.path(folder);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Standing::Free),
            Err(error) => return Err(error),
            Ok(meta) if !meta.is_file() || meta.len() > MOST => return Ok(Standing::Foreign),
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        Ok(if is_marked(&text) {
            Standing::Ours
        } else {
            Standing::Foreign
        })
    }

    /// Writes it, as a whole or not at all. Says whether anything changed.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<bool> {
        let path = self.path(folder);
        let text = marked(&self.text);
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return Ok(false);
        }
        let fresh = folder.join(format!(".{}.{}", self.name, std::process::id()));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&fresh)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&fresh, &path));
        if written.is_err() {
            let _ = fs::remove_file(&fresh);
        }
        written.map(|()| true)
    }
}

fn marked(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    format!("{MARK}{}\n{text}", crate::units::hex(&digest))
}

fn is_marked(text: &str) -> bool {
    text.split_once('\n')
        .is_some_and(|(_, rest)| marked(rest) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(manager: Manager) -> Unit {
        let [_, service] = units(
            manager,
            Path::new("/opt/x/saferund"),
            Path::new("/home/ada/s"),
        )
        .unwrap();
        service
    }

    #[test]
    fn the_paths_of_this_machine_stand_in_the_units() {
        let user = service(Manager::User).text;
        assert!(user.contains("ExecStart=/opt/x/saferund\n"), "{user}");
        assert!(user.contains("SAFERUN_STATE_DIR=/home/ada/s\n"), "{user}");
        let system = service(Manager::System).text;
        assert!(system.contains("ExecStart=/opt/x/saferund\n"));
        assert!(system.contains("SAFERUN_STATE_DIR=/var/lib/saferun\n"));
        for odd in ["/a b", "/a%b", "/a$b", "/a\n", "a", "/a\"b", "/a\\b"] {
            assert!(units(Manager::User, Path::new(odd), Path::new("/s")).is_err());
        }
    }

    #[test]
    fn what_others_wrote_or_changed_is_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let unit = service(Manager::System);
        let path = unit.path(dir.path());
        let standing = || unit.standing(dir.path()).unwrap();
        assert_eq!(standing(), Standing::Free);
        assert!(unit.write(dir.path()).unwrap());
        assert!(
            !unit.write(dir.path()).unwrap(),
            "the second time changes nothing"
        );
        assert_eq!(standing(), Standing::Ours);
        let other = service(Manager::User);
        assert!(other.write(dir.path()).unwrap());
        assert_eq!(
            standing(),
            Standing::Ours,
            "an earlier version is ours, too"
        );
        fs::write(&path, fs::read_to_string(&path).unwrap() + "#").unwrap();
        assert_eq!(standing(), Standing::Foreign);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert_eq!(standing(), Standing::Foreign);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
