//! The filter of a traced run: which system calls are told to PID 1 before they happen, as a BPF program. Everything
//! else passes untouched; the engine's own profile still refuses what it refuses, and is asked first.

/// What a call says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Opens a path; the flags are in this argument.
    Open { path: usize, flags: Option<usize> },
    /// Opens a path; the flags are the first word of what this argument points to.
    OpenHow { path: usize, how: usize },
    /// Makes or changes what is at a path.
    Write { path: usize },
    /// Takes a path away.
    Delete { path: usize },
    /// Moves one path to another.
    Move { from: usize, to: usize },
    /// Gives what is at one path another name.
    Link { from: usize, to: usize },
    /// Makes a symbolic link with this text.
    Symlink { text: usize, path: usize },
    /// Changes the file that this descriptor leads to, its size or what is said of it.
    Own { descriptor: usize },
    /// Starts a program.
    Exec { path: usize, args: usize },
    /// Starts a process.
    Fork,
    /// Reaches for an address.
    Reach { address: usize },
    /// Sends what a header describes, perhaps to an address in it; or what several do, one after another.
    Send { header: usize, count: Option<usize> },
    /// Waits at an address.
    Listen { address: usize },
    /// Would hide the process, or what it does, from PID 1, if its first argument is one of these.
    Hide { first: &'static [u32] },
    /// A signal to PID 1.
    Signal,
    /// Takes on another user or group; so many arguments name one.
    Identity { arguments: usize },
    /// Takes on other groups: so many, listed there.
    Groups { count: usize, list: usize },
}

/// A call that is told of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) number: i64,
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Paths are relative to the descriptor in the argument before each.
    pub(super) at: bool,
}

const fn at(number: i64, name: &'static str, shape: Shape) -> Call {
    Call {
        number,
        name,
        shape,
        at: true,
    }
}

const fn plain(number: i64, name: &'static str, shape: Shape) -> Call {
    Call {
        number,
        name,
        shape,
        at: false,
    }
}

const fn own(number: i64, name: &'static str) -> Call {
    plain(number, name, Shape::Own { descriptor: 0 })
}

const fn identity(number: i64, name: &'static str, arguments: usize) -> Call {
    plain(number, name, Shape::Identity { arguments })
}

/// What every architecture has.
const COMMON: [Call; 51] = [
    at(
        libc::SYS_openat,
        "openat",
        Shape::Open {
            path: 1,
            flags: Some(2),
        },
    ),
    at(
        libc::SYS_openat2,
        "openat2",
        Shape::OpenHow { path: 1, how: 2 },
    ),
    at(libc::SYS_unlinkat, "unlinkat", Shape::Delete { path: 1 }),
    at(
        libc::SYS_renameat2,
        "renameat2",
        Shape::Move { from: 1, to: 3 },
    ),
    at(
        libc::SYS_renameat,
        "renameat",
        Shape::Move { from: 1, to: 3 },
    ),
    at(libc::SYS_mkdirat, "mkdirat", Shape::Write { path: 1 }),
    at(libc::SYS_mknodat, "mknodat", Shape::Write { path: 1 }),
    at(
        libc::SYS_symlinkat,
        "symlinkat",
        Shape::Symlink { text: 0, path: 2 },
    ),
    at(libc::SYS_linkat, "linkat", Shape::Link { from: 1, to: 3 }),
    at(libc::SYS_fchmodat, "fchmodat", Shape::Write { path: 1 }),
    plain(libc::SYS_truncate, "truncate", Shape::Write { path: 0 }),
    plain(libc::SYS_execve, "execve", Shape::Exec { path: 0, args: 1 }),
    at(
        libc::SYS_execveat,
        "execveat",
        Shape::Exec { path: 1, args: 2 },
    ),
    plain(libc::SYS_clone, "clone", Shape::Fork),
    plain(libc::SYS_connect, "connect", Shape::Reach { address: 1 }),
    plain(libc::SYS_sendto, "sendto", Shape::Reach { address: 4 }),
    plain(libc::SYS_bind, "bind", Shape::Listen { address: 1 }),
    plain(
        libc::SYS_prctl,
        "prctl",
        Shape::Hide {
            first: &[
                libc::PR_SET_DUMPABLE.cast_unsigned(),
                libc::PR_SET_SECCOMP.cast_unsigned(),
            ],
        },
    ),
    // A filter that refuses a call outranks one that asks about it (seccomp(2)): nothing would be told any more.
    plain(
        libc::SYS_seccomp,
        "seccomp",
        Shape::Hide {
            first: &[libc::SECCOMP_SET_MODE_FILTER],
        },
    ),
    at(452, "fchmodat2", Shape::Write { path: 1 }),
    plain(libc::SYS_clone3, "clone3", Shape::Fork),
    at(libc::SYS_fchownat, "fchownat", Shape::Write { path: 1 }),
    at(libc::SYS_utimensat, "utimensat", Shape::Write { path: 1 }),
    plain(libc::SYS_setxattr, "setxattr", Shape::Write { path: 0 }),
    plain(libc::SYS_lsetxattr, "lsetxattr", Shape::Write { path: 0 }),
    plain(
        libc::SYS_removexattr,
        "removexattr",
        Shape::Write { path: 0 },
    ),
    plain(
        libc::SYS_lremovexattr,
        "lremovexattr",
        Shape::Write { path: 0 },
    ),
    at(463, "setxattrat", Shape::Write { path: 1 }),
    at(466, "removexattrat", Shape::Write { path: 1 }),
    own(libc::SYS_fchmod, "fchmod"),
    own(libc::SYS_fchown, "fchown"),
    own(libc::SYS_ftruncate, "ftruncate"),
    own(libc::SYS_fallocate, "fallocate"),
    own(libc::SYS_fsetxattr, "fsetxattr"),
    own(libc::SYS_fremovexattr, "fremovexattr"),
    plain(
        libc::SYS_sendmsg,
        "sendmsg",
        Shape::Send {
            header: 1,
            count: None,
        },
    ),
    plain(
        libc::SYS_sendmmsg,
        "sendmmsg",
        Shape::Send {
            header: 1,
            count: Some(2),
        },
    ),
    plain(libc::SYS_kill, "kill", Shape::Signal),
    plain(libc::SYS_tkill, "tkill", Shape::Signal),
    plain(libc::SYS_tgkill, "tgkill", Shape::Signal),
    plain(libc::SYS_rt_sigqueueinfo, "rt_sigqueueinfo", Shape::Signal),
    plain(
        libc::SYS_rt_tgsigqueueinfo,
        "rt_tgsigqueueinfo",
        Shape::Signal,
    ),
    identity(libc::SYS_setfsuid, "setfsuid", 1),
    identity(libc::SYS_setfsgid, "setfsgid", 1),
    plain(
        libc::SYS_setgroups,
        "setgroups",
        Shape::Groups { count: 0, list: 1 },
    ),
    identity(libc::SYS_setuid, "setuid", 1),
    identity(libc::SYS_setgid, "setgid", 1),
    identity(libc::SYS_setreuid, "setreuid", 2),
    identity(libc::SYS_setregid, "setregid", 2),
    identity(libc::SYS_setresuid, "setresuid", 3),
    identity(libc::SYS_setresgid, "setresgid", 3),
];

/// Older forms that only this architecture has.
#[cfg(target_arch = "x86_64")]
const OLDER: [Call; 17] = [
    plain(
        libc::SYS_open,
        "open",
        Shape::Open {
            path: 0,
            flags: Some(1),
        },
    ),
    plain(
        libc::SYS_creat,
        "creat",
        Shape::Open {
            path: 0,
            flags: None,
        },
    ),
    plain(libc::SYS_unlink, "unlink", Shape::Delete { path: 0 }),
    plain(libc::SYS_rmdir, "rmdir", Shape::Delete { path: 0 }),
    plain(libc::SYS_rename, "rename", Shape::Move { from: 0, to: 1 }),
    plain(libc::SYS_mkdir, "mkdir", Shape::Write { path: 0 }),
    plain(libc::SYS_mknod, "mknod", Shape::Write { path: 0 }),
    plain(
        libc::SYS_symlink,
        "symlink",
        Shape::Symlink { text: 0, path: 1 },
    ),
    plain(libc::SYS_link, "link", Shape::Link { from: 0, to: 1 }),
    plain(libc::SYS_chmod, "chmod", Shape::Write { path: 0 }),
    plain(libc::SYS_chown, "chown", Shape::Write { path: 0 }),
    plain(libc::SYS_lchown, "lchown", Shape::Write { path: 0 }),
    plain(libc::SYS_fork, "fork", Shape::Fork),
    plain(libc::SYS_vfork, "vfork", Shape::Fork),
    plain(libc::SYS_utime, "utime", Shape::Write { path: 0 }),
    plain(libc::SYS_utimes, "utimes", Shape::Write { path: 0 }),
    at(libc::SYS_futimesat, "futimesat", Shape::Write { path: 1 }),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: [Call; 0] = [];

/// `AUDIT_ARCH_*` of this build's own calls.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const NOTIFY: u32 = 0x7fc0_0000;
const REFUSE: u32 = 0x0005_0000 | libc::ENOSYS as u32;
/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const FIRST: u32 = 16;
/// Calls of the x32 ABI have this bit; the numbers of our own do not.
const X32: u32 = 0x4000_0000;

/// The call of this number, if it is told of.
pub(super) fn call(number: i64) -> Option<&'static Call> {
    COMMON
        .iter()
        .chain(OLDER.iter())
        .find(|call| call.number == number)
}

/// A call that is told of when the low half of its first argument is one of these.
fn first_is(code: &mut Vec<(u16, u8, u8, u32)>, number: u32, values: &[u32]) {
    let count = u8::try_from(values.len()).unwrap_or(u8::MAX);
    code.extend([(EQUAL, 0, count + 3, number), (LOAD, 0, 0, FIRST)]);
    for (value, left) in values.iter().zip((1..=count).rev()) {
        code.push((EQUAL, left, 0, *value));
    }
    code.extend([(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, NOTIFY)]);
}

/// The program, as the kernel takes it: 8 bytes for each instruction.
pub(crate) fn program() -> Vec<u8> {
    let mut code: Vec<(u16, u8, u8, u32)> = vec![
        (LOAD, 0, 0, ARCH),
        // Another ABI has other numbers: nothing of it would be seen.
        (EQUAL, 1, 0, ARCHITECTURE),
        (RETURN, 0, 0, REFUSE),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, REFUSE),
    ];
    for call in COMMON.iter().chain(OLDER.iter()) {
        // Numbers are small and positive.
        let number = u32::try_from(call.number).unwrap_or(u32::MAX);
        match call.shape {
            Shape::Fork if call.name == "clone" => code.extend([
                (EQUAL, 0, 5, number),
                (LOAD, 0, 0, FIRST),
                // A thread is no process.
                (ANY_BIT, 1, 0, libc::CLONE_THREAD.cast_unsigned()),
                (RETURN, 0, 0, NOTIFY),
                (RETURN, 0, 0, ALLOW),
                (LOAD, 0, 0, NUMBER),
            ]),
            // Its flags cannot be looked at: the C library falls back to clone.
            Shape::Fork if call.name == "clone3" => {
                code.extend([(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE)]);
            }
            Shape::Hide { first } => first_is(&mut code, number, first),
            Shape::Signal => first_is(&mut code, number, &[1]),
            _ => code.extend([(EQUAL, 0, 1, number), (RETURN, 0, 0, NOTIFY)]),
        }
    }
    code.push((RETURN, 0, 0, ALLOW));
    let mut bytes = Vec::with_capacity(code.len() * 8);
    for (operation, yes, no, value) in code {
        bytes.extend_from_slice(&operation.to_ne_bytes());
        bytes.extend([yes, no]);
        bytes.extend_from_slice(&value.to_ne_bytes());
    }
    bytes
}
