//! The events of a trace, bounded: what happens again is counted, and no kind can crowd out another. Pure.

use std::collections::HashMap;

use saferun_frames::{EventKind, MAX_EVENTS, MAX_TEXT, TraceEvent};

/// Kinds of events, each with its share of [`MAX_EVENTS`].
const KINDS: usize = 7;

/// Places in the script, with what became of it there, that are told apart of one act. What happens at further ones is told
/// without a place, so that nobody takes it for the act of those alone.
const PLACES: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Log {
    events: Vec<TraceEvent>,
    /// The events of an act.
    known: HashMap<(EventKind, String), Vec<usize>>,
    of_kind: HashMap<EventKind, usize>,
    total: u64,
    left_out: u64,
}

impl Log {
    pub(super) fn add(&mut self, mut event: TraceEvent) {
        self.total += 1;
        event.what = short(&event.what);
        let places = self.known.get(&(event.kind, event.what.clone()));
        let places = places.map_or(&[][..], Vec::as_slice);
        let events = &self.events;
        let same = |event: &TraceEvent| {
            let place = |one: &TraceEvent| (one.line, one.verdict, one.seen);
            let same = |at: &&usize| {
                let other = &events[**at];
                place(other) == place(event) && other.file == event.file
            };
            places.iter().find(same).copied()
        };
        let mut at = same(&event);
        if at.is_none() && places.len() >= PLACES {
            (event.file, event.line) = (None, None);
            at = same(&event);
        }
        if let Some(at) = at {
            let count = &mut self.events[at].count;
            *count = count.saturating_add(1);
            return;
        }
        let count = self.of_kind.entry(event.kind).or_default();
        if *count >= MAX_EVENTS / KINDS {
            self.left_out += 1;
            return;
        }
        *count += 1;
        let key = (event.kind, event.what.clone());
        self.known.entry(key).or_default().push(self.events.len());
        self.events.push(event);
    }

    /// Adds what is told only if nothing else is said of the same file: a copy that keeps the times is one write.
    pub(super) fn touch(&mut self, event: TraceEvent) {
        let key = (event.kind, short(&event.what));
        if !self.known.contains_key(&key) {
            self.add(event);
        }
    }

    /// Events, how many there were, and how many are not among them.
    pub(super) fn finish(self) -> (Vec<TraceEvent>, u64, u64) {
        (self.events, self.total, self.left_out)
    }
}

/// At most [`MAX_TEXT`] bytes, cut at a character.
pub(super) fn short(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

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
    use saferun_frames::{Seen, TraceVerdict};

    use super::*;

    fn event(kind: EventKind, what: String) -> TraceEvent {
        TraceEvent {
            at_us: 0,
            kind,
            call: "x".to_owned(),
            what,
            verdict: TraceVerdict::Allowed,
            pid: 1,
            count: 1,
            file: None,
            line: None,
            seen: Seen::Kernel,
        }
    }

    #[test]
    fn a_flood_is_counted_and_hides_nothing_of_another_kind() {
        let mut log = Log::default();
        for index in 0..100_000 {
            log.add(event(EventKind::Write, format!("/tmp/{index}")));
            log.add(event(EventKind::Delete, "/tmp/same".to_owned()));
        }
        log.add(event(EventKind::Network, "ü".repeat(MAX_TEXT)));
        for path in ["/tmp/same", "/tmp/0", "/tmp/99999"] {
            log.touch(event(EventKind::Delete, path.to_owned()));
        }
        let (events, total, left_out) = log.finish();
        assert_eq!(
            (total, left_out),
            (200_003, 100_000 - (MAX_EVENTS / KINDS) as u64)
        );
        assert!(events.len() <= MAX_EVENTS);
        assert_eq!(events.iter().filter(|one| one.count == 100_000).count(), 1);
        let network = events.iter().find(|one| one.kind == EventKind::Network);
        assert_eq!(network.expect("the network event").what.len(), MAX_TEXT);
    }

    #[test]
    fn each_line_of_the_same_act_is_told_and_beyond_a_bound_without_one() {
        let mut log = Log::default();
        let mut one = |line, verdict| {
            let mut event = event(EventKind::Network, "192.0.2.1:80".to_owned());
            (event.file, event.line) = (Some("main.py".to_owned()), Some(line));
            event.verdict = verdict;
            log.add(event);
        };
        for line in [7, 12, 7] {
            one(line, TraceVerdict::Refused);
        }
        one(7, TraceVerdict::Allowed);
        for line in 20..1000 {
            one(line, TraceVerdict::Refused);
        }
        let (events, total, left_out) = log.finish();
        let told: Vec<_> = events
            .iter()
            .map(|one| (one.line, one.count, one.verdict == TraceVerdict::Refused))
            .collect();
        let first = [(Some(7), 2, true), (Some(12), 1, true), (Some(7), 1, false)];
        let further = (20..25).map(|line| (Some(line), 1, true));
        let last = (None, 975, true);
        let expected: Vec<_> = first.into_iter().chain(further).chain([last]).collect();
        assert_eq!(told, expected);
        assert_eq!((total, left_out), (984, 0));
        assert_eq!(events.last().expect("an event").file, None);
    }

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
