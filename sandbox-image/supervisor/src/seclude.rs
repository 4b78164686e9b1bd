//! What a supervisor in gVisor does before anything else runs: it covers its own `/proc/1`, and becomes the
//! sandbox's user for good.
//!
//! gVisor lets every process of the same user open another's descriptors, dumpable or not, and so write to
//! the stream to the daemon. Only a mount hides them, and only root may mount. So in that tier alone PID 1
//! starts as root of gVisor's own kernel, with the few capabilities that this takes, and ends here with none.
//! The attestation reads back what is left.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::fcntl::{OFlag, open, openat};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, getuid, setgroups, setresgid, setresuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
};

use crate::stop::Stop;

/// Names the uid, and gid, to become. The daemon sets it in gVisor alone.
const BECOME: &str = "SAFERUN_BECOME";

/// A file that gVisor's kernel has, and Linux never had.
const SENTRY: &str = "/proc/sentry-meminfo";

/// The files of this process below `/proc`, which stay in reach when they are covered for everybody else.
#[derive(Debug)]
pub(crate) struct OwnProc(OwnedFd);

impl OwnProc {
    pub(crate) fn open() -> io::Result<Self> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        Ok(Self(open("/proc/self", flags, Mode::empty())?))
    }

    /// The text of one file; empty if it cannot be read, which the attestation takes for "not seen".
    pub(crate) fn text(&self, name: &str) -> String {
        // With room from the begin: mountinfo walks all mounts again for each read that goes on with it.
        let mut text = String::with_capacity(16 * 1024);
        let opened = openat(
            &self.0,
            name,
            OFlag::O_RDONLY | OFlag::O_CLOEXEC,
            Mode::empty(),
        );
        match opened
            .map(File::from)
            .map(|mut file| file.read_to_string(&mut text))
        {
            Ok(Ok(_)) => text,
            _ => String::new(),
        }
    }
}

/// Whether the kernel below is gVisor's.
pub(crate) fn in_gvisor() -> bool {
    Path::new(SENTRY).exists()
}

/// Does it, if the daemon asked for it.
pub(crate) fn seclude() -> Result<(), Stop> {
    let Some(id) = std::env::var_os(BECOME) else {
        return Ok(());
    };
    let id: u32 = id
        .to_str()
        .and_then(|id| id.parse().ok())
        .filter(|id| *id != 0)
        .ok_or_else(|| Stop::boot(format!("{BECOME} is no uid of a user")))?;
    if !in_gvisor() || !getuid().is_root() {
        return Err(Stop::boot(
            "the runtime is not what its name says: only in gVisor does the supervisor start as root",
        ));
    }
    cover().map_err(|error| Stop::boot(format!("cannot cover /proc/1: {error}")))?;
    become_user(id).map_err(|error| Stop::boot(format!("cannot become user {id}: {error}")))
}

/// An empty folder that nobody may enter, over everything that `/proc` shows of this process.
fn cover() -> nix::Result<()> {
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(
        Some("none"),
        "/proc/1",
        Some("tmpfs"),
        flags,
        Some("mode=0000,size=4096"),
    )
}

/// Gives up every capability, and root.
fn become_user(id: u32) -> io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        // A capability that the kernel does not know cannot be in the set: the attestation looks at it.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    setgroups(&[])?;
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    let none = CapabilitySet::empty();
    set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?;
    Ok(())
}
