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
    /// Starts a program.
    Exec { path: usize, args: usize },
    /// Starts a process.
    Fork,
    /// Reaches for an address.
    Reach { address: usize },
    /// Waits at an address.
    Listen { address: usize },
    /// Would hide the process from PID 1.
    Hide,
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

/// What every architecture has.
const COMMON: [Call; 20] = [
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
    at(libc::SYS_symlinkat, "symlinkat", Shape::Write { path: 2 }),
    at(libc::SYS_linkat, "linkat", Shape::Write { path: 3 }),
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
    plain(libc::SYS_prctl, "prctl", Shape::Hide),
    at(452, "fchmodat2", Shape::Write { path: 1 }),
    plain(libc::SYS_clone3, "clone3", Shape::Fork),
];

/// Older forms that only this architecture has.
#[cfg(target_arch = "x86_64")]
const OLDER: [Call; 14] = [
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
    plain(libc::SYS_symlink, "symlink", Shape::Write { path: 1 }),
    plain(libc::SYS_link, "link", Shape::Write { path: 1 }),
    plain(libc::SYS_chmod, "chmod", Shape::Write { path: 0 }),
    plain(libc::SYS_chown, "chown", Shape::Write { path: 0 }),
    plain(libc::SYS_lchown, "lchown", Shape::Write { path: 0 }),
    plain(libc::SYS_fork, "fork", Shape::Fork),
    plain(libc::SYS_vfork, "vfork", Shape::Fork),
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
            Shape::Hide => code.extend([
                (EQUAL, 0, 5, number),
                (LOAD, 0, 0, FIRST),
                (EQUAL, 0, 1, libc::PR_SET_DUMPABLE.cast_unsigned()),
                (RETURN, 0, 0, NOTIFY),
                (RETURN, 0, 0, ALLOW),
                (LOAD, 0, 0, NUMBER),
            ]),
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
