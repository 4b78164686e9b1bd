//! Calls that are allowed with some arguments only.
//!
//! The kernel reads most of these arguments as 32 bits and ignores the upper half of the register,
//! so each comparison masks it off: a plain one could be passed by setting a high bit
//! (CVE-2019-10063, `TIOCSTI` out of a sandbox).

/// The low 32 bits.
const LOW: u64 = 0xffff_ffff;

/// `CLONE_NEW*` for mount, cgroup, UTS, IPC, user, pid and network namespaces.
const NAMESPACES: u64 = 0x7e02_0000;

/// A condition on arguments: all of `tests` must hold.
pub(super) struct Condition {
    /// Why such a call is needed.
    pub(super) purpose: &'static str,
    /// The call.
    pub(super) call: &'static str,
    /// Index of the argument, mask, and the value after masking.
    pub(super) tests: &'static [(u32, u64, u64)],
}

const fn when(
    call: &'static str,
    tests: &'static [(u32, u64, u64)],
    purpose: &'static str,
) -> Condition {
    Condition {
        purpose,
        call,
        tests,
    }
}

/// Every call that is allowed under a condition; several for one call are alternatives.
///
/// Not among the families: `AF_NETLINK` (attack surface; `getaddrinfo` and servers on loopback work
/// without it, `socket.if_nameindex` does not), `AF_PACKET` (CVE-2020-14386), `AF_ALG`
/// (CVE-2019-8912), `AF_VSOCK` (CVE-2021-26708; leads to the hypervisor, past network namespaces).
pub(super) const CONDITIONS: &[Condition] = &[
    when(
        "clone",
        &[(0, NAMESPACES, 0)],
        "threads and children, no namespaces",
    ),
    when("socket", &[(0, LOW, 1)], "AF_UNIX"),
    when("socket", &[(0, LOW, 2)], "AF_INET, on loopback"),
    when("socket", &[(0, LOW, 10)], "AF_INET6, on loopback"),
    when(
        "socketpair",
        &[(0, LOW, 1)],
        "AF_UNIX: asyncio's own wake-up",
    ),
    when(
        "prlimit64",
        &[(0, LOW, 0)],
        "its own limits; those of PID 1, which has the same uid, would make it fail",
    ),
    when("personality", &[(0, LOW, 0)], "plain Linux"),
    when("personality", &[(0, LOW, LOW)], "only asks"),
];

/// Commands of `ioctl` that are allowed: terminals as a program sees them, pseudo-terminals, bytes
/// waiting, interface queries, and the supervisor's notifications. An allow-list, since `ioctl` is
/// the door to every driver. Left out on purpose: `TIOCSTI` and `TIOCLINUX` (typing into somebody's
/// terminal, CVE-2016-7545, CVE-2023-1523), `TIOCSETD` (loads line disciplines, CVE-2017-2636).
pub(super) const IOCTLS: &[(u64, &str)] = &[
    (0x5401, "TCGETS: isatty"),
    (0x5402, "TCSETS"),
    (0x5403, "TCSETSW"),
    (0x5404, "TCSETSF"),
    (0x5409, "TCSBRK: tcdrain"),
    (0x540a, "TCXONC: tcflow"),
    (0x540b, "TCFLSH: tcflush"),
    (0x540c, "TIOCEXCL"),
    (0x540d, "TIOCNXCL"),
    (0x540e, "TIOCSCTTY: pty.fork"),
    (0x540f, "TIOCGPGRP"),
    (0x5410, "TIOCSPGRP"),
    (0x5411, "TIOCOUTQ"),
    (0x5413, "TIOCGWINSZ"),
    (0x5414, "TIOCSWINSZ"),
    (0x541b, "FIONREAD"),
    (0x5420, "TIOCPKT"),
    (0x5421, "FIONBIO"),
    (0x5422, "TIOCNOTTY"),
    (0x5425, "TCSBRKP: tcsendbreak"),
    (0x5429, "TIOCGSID"),
    (0x802c_542a, "TCGETS2: isatty in newer C libraries"),
    (0x402c_542b, "TCSETS2"),
    (0x402c_542c, "TCSETSW2"),
    (0x402c_542d, "TCSETSF2"),
    (0x8004_5430, "TIOCGPTN: ptsname"),
    (0x4004_5431, "TIOCSPTLCK: unlockpt"),
    (0x5441, "TIOCGPTPEER: openpty"),
    (0x5450, "FIONCLEX"),
    (0x5451, "FIOCLEX: set_inheritable"),
    (0x5452, "FIOASYNC"),
    (0x8905, "SIOCATMARK"),
    (0x8910, "SIOCGIFNAME: if_indextoname"),
    (0x8912, "SIOCGIFCONF"),
    (0x8913, "SIOCGIFFLAGS"),
    (0x8915, "SIOCGIFADDR"),
    (0x8933, "SIOCGIFINDEX: if_nametoindex"),
    (0x8008_6601, "FS_IOC_GETFLAGS"),
    (0x4004_9409, "FICLONE: cp, shutil"),
    (
        0xc050_2100,
        "SECCOMP_IOCTL_NOTIF_RECV: the supervisor's trace",
    ),
    (0xc018_2101, "SECCOMP_IOCTL_NOTIF_SEND"),
    (0x4008_2102, "SECCOMP_IOCTL_NOTIF_ID_VALID"),
    (0x4008_2104, "SECCOMP_IOCTL_NOTIF_SET_FLAGS"),
];

/// The mask for each of [`IOCTLS`].
pub(super) const IOCTL_MASK: u64 = LOW;
