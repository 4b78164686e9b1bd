//! What an event of the interpreter is an event of, and what is told of it. Pure.

use saferun_frames::EventKind;

/// Functions of the C library whose calls the container's profile refuses before anybody is asked: a script that looks one
/// up means to call it.
const FORBIDDEN: [&str; 32] = [
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "keyctl",
    "add_key",
    "request_key",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "reboot",
    "swapon",
    "swapoff",
    "acct",
    "iopl",
    "ioperm",
    "memfd_create",
    "pidfd_open",
    "open_by_handle_at",
    "name_to_handle_at",
    "fanotify_init",
    "sethostname",
];

/// A socket, by its family and type, that no program in the sandbox gets: neither local nor IP, or a raw one.
fn is_odd_socket(detail: &str) -> bool {
    let numbers = detail.split_once(' ');
    let numbers =
        numbers.and_then(|(family, kind)| Some((family.parse().ok()?, kind.parse().ok()?)));
    numbers.is_some_and(|(family, kind): (i32, i32)| {
        // -1 leaves the choice to the interpreter, or to the descriptor that it is made of.
        !matches!(family, -1 | libc::AF_UNIX | libc::AF_INET | libc::AF_INET6)
            || kind & 0xf == libc::SOCK_RAW
    })
}

/// The text of an event of the interpreter.
pub(super) fn said(event: &str, detail: &str) -> String {
    match event {
        "ctypes.dlsym" => format!("{detail} of the C library, by ctypes"),
        "socket.__new__" => {
            let (family, kind) = detail.split_once(' ').unwrap_or_default();
            format!("socket of family {family}, type {kind}")
        }
        _ => detail.to_owned(),
    }
}

/// What an event of the interpreter is an event of. `open` for reading begins its detail with `r:`.
pub(super) fn kind_of(event: &str, detail: &str) -> Option<EventKind> {
    Some(match event {
        "open" if detail.starts_with("r:") => return None,
        "open" | "os.mkdir" | "os.chmod" | "os.link" | "os.symlink" | "os.truncate" => {
            EventKind::Write
        }
        "os.remove" | "os.rmdir" | "os.rename" | "shutil.rmtree" => EventKind::Delete,
        "subprocess.Popen" | "os.system" | "os.exec" | "os.posix_spawn" | "os.fork"
        | "os.forkpty" => EventKind::Process,
        "socket.sendmsg" if detail.is_empty() => return None,
        "socket.connect" | "socket.bind" | "socket.sendto" | "socket.sendmsg" => EventKind::Network,
        "socket.getaddrinfo" | "socket.gethostbyname" => EventKind::Name,
        "ctypes.dlsym" if FORBIDDEN.contains(&detail) => EventKind::Refused,
        "socket.__new__" if is_odd_socket(detail) => EventKind::Refused,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_profile_refuses_is_known_by_what_the_interpreter_says() {
        for (event, detail, kind) in [
            ("ctypes.dlsym", "mount", Some(EventKind::Refused)),
            ("ctypes.dlsym", "getpid", None),
            ("socket.__new__", "17 3", Some(EventKind::Refused)),
            ("socket.__new__", "2 3", Some(EventKind::Refused)),
            ("socket.__new__", "2 526337", None),
            ("socket.__new__", "-1 -1", None),
            ("socket.__new__", "", None),
        ] {
            assert_eq!(kind_of(event, detail), kind, "{event} {detail}");
        }
        assert_eq!(
            said("socket.__new__", "17 3"),
            "socket of family 17, type 3"
        );
    }
}
