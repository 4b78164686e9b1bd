//! The events of a trace, bounded: what happens again is counted, and no kind can crowd out another. Pure.

use std::collections::HashMap;

use saferun_frames::{EventKind, MAX_EVENTS, MAX_TEXT, TraceEvent};

/// Kinds of events, each with its share of [`MAX_EVENTS`].
const KINDS: usize = 7;

#[derive(Debug, Default)]
pub(super) struct Log {
    events: Vec<TraceEvent>,
    known: HashMap<(EventKind, String), usize>,
    of_kind: HashMap<EventKind, usize>,
    total: u64,
    left_out: u64,
}

impl Log {
    pub(super) fn add(&mut self, mut event: TraceEvent) {
        self.total += 1;
        event.what = short(&event.what);
        let key = (event.kind, event.what.clone());
        if let Some(&at) = self.known.get(&key) {
            self.events[at].count = self.events[at].count.saturating_add(1);
            return;
        }
        let count = self.of_kind.entry(event.kind).or_default();
        if *count >= MAX_EVENTS / KINDS {
            self.left_out += 1;
            return;
        }
        *count += 1;
        self.known.insert(key, self.events.len());
        self.events.push(event);
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
        "socket.connect" | "socket.bind" | "socket.sendto" => EventKind::Network,
        "socket.getaddrinfo" | "socket.gethostbyname" => EventKind::Name,
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
        let (events, total, left_out) = log.finish();
        assert_eq!(
            (total, left_out),
            (200_001, 100_000 - (MAX_EVENTS / KINDS) as u64)
        );
        assert!(events.len() <= MAX_EVENTS);
        assert_eq!(events.iter().filter(|one| one.count == 100_000).count(), 1);
        let last = events.last().expect("the network event");
        assert_eq!((last.kind, last.what.len()), (EventKind::Network, MAX_TEXT));
    }
}
