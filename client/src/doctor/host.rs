//! The machine: sockets and folders, disk space, tools, user ids.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use saferun_protocol::{socket_path, verify_socket};

use super::check::Check;
use crate::{daemon::state_dir, units::show_bytes};

/// The user ids that containers use.
const SANDBOX_IDS: std::ops::RangeInclusive<u32> = 890_000..=890_255;
/// Below this, an image may not fit.
const LITTLE_DISK: u64 = 2 << 30;

/// Where the socket is, and whether it can be trusted.
pub(crate) fn socket() -> Check {
    let (name, why) = ("socket", "commands reach the daemon through it");
    let path = match socket_path() {
        Ok(path) => path,
        Err(error) => {
            return Check::missing(
                name,
                why,
                error.to_string(),
                "unset SAFERUN_SOCKET, or set it to a short absolute path",
            );
        }
    };
    match verify_socket(&path) {
        Ok(()) => Check::ok(name, why, path.display().to_string()),
        Err(error) => Check::missing(
            name,
            why,
            error.to_string(),
            "mend that, or set SAFERUN_SOCKET to a path in a folder of your own",
        ),
    }
}

/// Whether the session has a folder for sockets.
pub(crate) fn runtime_dir() -> Check {
    let (name, why) = (
        "XDG_RUNTIME_DIR",
        "it is private and emptied when you log out; without it the socket is in /tmp",
    );
    match env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(dir) if dir.is_absolute() && dir.is_dir() => {
            Check::ok(name, why, dir.display().to_string())
        }
        Some(dir) => Check::advisory(
            name,
            why,
            format!("{} is no folder", dir.display()),
            "log in through a session manager, or ignore it",
        ),
        None => Check::advisory(
            name,
            why,
            "not set",
            "log in through a session manager, or ignore it: /tmp works",
        ),
    }
}

/// Whether there is room for the state and the images.
pub(crate) fn disk() -> Check {
    let (name, why) = ("disk space", "images and the record of runs need some");
    let mut places = vec![PathBuf::from("/var/lib")];
    places.extend(state_dir().ok());
    let free = places
        .iter()
        .filter_map(|path| Some((free_at(path)?, path)));
    let Some((free, path)) = free.min() else {
        return Check::advisory(name, why, "cannot be read", "df -h");
    };
    let found = format!("{} free at {}", show_bytes(free), path.display());
    if free < LITTLE_DISK {
        return Check::advisory(
            name,
            why,
            found,
            "make room: docker system df shows what the engine holds",
        );
    }
    Check::ok(name, why, found)
}

/// Free bytes for ordinary users at the nearest folder that exists.
fn free_at(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|path| path.exists())?;
    let stat = nix::sys::statvfs::statvfs(existing).ok()?;
    Some(stat.blocks_available().saturating_mul(stat.fragment_size()))
}

/// The tool that builds images without a registry; required only where the image is known to be missing.
pub(crate) fn mmdebstrap(required: bool) -> Check {
    let (name, why) = ("mmdebstrap", "it builds the image from Debian's packages");
    if let Some(path) = on_path("mmdebstrap") {
        return Check::ok(name, why, path.display().to_string());
    }
    let (found, remedy) = ("not on PATH", as_root("apt-get install mmdebstrap"));
    if required {
        Check::missing(name, why, found, remedy)
    } else {
        Check::advisory(name, why, found, remedy)
    }
}

/// Whether somebody on this machine has a user id that containers use.
pub(crate) fn user_ids() -> Check {
    let (name, why) = (
        "sandbox user ids",
        "the kernel counts some limits per user id: nobody may share the sandbox's",
    );
    let range = format!("{} to {}", SANDBOX_IDS.start(), SANDBOX_IDS.end());
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let subuid = fs::read_to_string("/etc/subuid").unwrap_or_default();
    match clash(&passwd, &subuid) {
        None => Check::ok(name, why, format!("{range} are free")),
        Some(who) => Check::advisory(
            name,
            why,
            format!("{who} has ids in {range}"),
            "give that user other ids: sudo usermod -u ID, or --add-subuids",
        ),
    }
}

fn clash(passwd: &str, subuid: &str) -> Option<String> {
    let user = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id: u32 = fields.nth(1)?.parse().ok()?;
        SANDBOX_IDS.contains(&id).then(|| name.to_owned())
    });
    user.or_else(|| {
        subuid.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let first: u32 = fields.next()?.parse().ok()?;
            let count: u32 = fields.next()?.parse().ok()?;
            let last = first.checked_add(count.checked_sub(1)?)?;
            (first <= *SANDBOX_IDS.end() && last >= *SANDBOX_IDS.start())
                .then(|| format!("{name} (in /etc/subuid)"))
        })
    })
}

/// The command as this user types it to have root do it.
pub(super) fn as_root(command: &str) -> String {
    if nix::unistd::geteuid().is_root() {
        command.to_owned()
    } else {
        format!("sudo {command}")
    }
}

/// The command that starts or restarts the distribution's own engine.
pub(super) fn service(verb: &str) -> String {
    as_root(&if has_systemd() {
        format!("systemctl {verb} docker")
    } else {
        format!("service docker {verb}")
    })
}

/// Whether systemd is the service manager.
pub(super) fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// The first program of this name on `PATH`.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clash_of_user_ids_is_seen() {
        let passwd = "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n";
        assert_eq!(clash(passwd, "me:100000:65536\n"), None);
        assert_eq!(
            clash("eve:x:890007:1::/:/bin/sh", ""),
            Some("eve".to_owned())
        );
        assert_eq!(
            clash(passwd, "me:886432:65536"),
            Some("me (in /etc/subuid)".to_owned())
        );
        assert_eq!(clash(passwd, "me:890256:65536\nme:824464:65536\n"), None);
    }
}
