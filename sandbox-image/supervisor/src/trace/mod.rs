//! What a traced run does: system calls that the kernel tells of before they happen, and what the interpreter says of
//! itself. Bounded whatever the program does; nothing here allows or prevents anything but hiding.

mod filter;
mod hint;
mod log;
mod said;
mod secret;
mod tracee;

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use saferun_frames::{EventKind, Seen, TraceEnd, TraceEvent, TraceVerdict};

use crate::sys::{self, Notification};
pub(crate) use filter::program;
use filter::{Call, Shape};
use hint::Hint;
use log::Log;
use tracee::Tracee;

/// Calls that are answered before the loop looks at anything else.
const AT_ONCE: usize = 64;
/// Where nothing can be put that leads elsewhere.
const SYSTEM: [&str; 4] = ["/usr/", "/lib", "/etc/", "/opt/"];
/// Calls that come along with writing a file, and count only where nothing else is told of it.
const TOUCHES: [&str; 8] = [
    "utimensat",
    "utime",
    "utimes",
    "futimesat",
    "ftruncate",
    "fallocate",
    "fchmod",
    "fchown",
];
/// Size of `struct mmsghdr`, in bytes.
const MESSAGE: u64 = 64;
/// Messages of one call that are looked at: as many as the kernel takes (`UIO_MAXIOV`, sendmmsg(2)).
const MESSAGES: u64 = 1024;
/// Words of the interpreter's that are read at the end: many times what the kernel keeps in a socket of its default size,
/// where the smallest word takes some 700 bytes (`net.core.wmem_default`, socket(7)). In rounds of [`AT_ONCE`] times four.
const LAST_ROUNDS: usize = 64;
/// Threads of which the last line is remembered.
const THREADS: usize = 512;

/// A trace under way.
pub(crate) struct Tracer {
    listener: Option<OwnedFd>,
    /// Where the interpreter says what it does.
    hints: Option<OwnedFd>,
    /// The last word of each thread.
    said: HashMap<i32, Hint>,
    log: Log,
    writable: Vec<PathBuf>,
    home: Option<PathBuf>,
    started: Instant,
    unavailable: Option<String>,
}

impl Tracer {
    pub(crate) fn new(started: Instant, writable: Vec<PathBuf>, home: Option<PathBuf>) -> Self {
        Self {
            listener: None,
            hints: None,
            said: HashMap::new(),
            log: Log::default(),
            writable,
            home,
            started,
            unavailable: Some(
                "this runtime has no seccomp user notification (gVisor has none), so only the interpreter's own word is there".to_owned(),
            ),
        }
    }

    /// The kernel tells of calls here.
    pub(crate) fn listen(&mut self, listener: OwnedFd) {
        // Without it each call costs several times as much; kernels before 6.6 do not have it.
        sys::notify_on_the_same_cpu(&listener);
        self.listener = Some(listener);
        self.unavailable = None;
    }

    /// The interpreter speaks here.
    pub(crate) fn hear(&mut self, hints: OwnedFd) {
        self.hints = Some(hints);
    }

    /// Neither the kernel nor the interpreter says anything.
    pub(crate) fn unavailable(&mut self, why: &str) {
        self.unavailable = Some(why.to_owned());
    }

    pub(crate) fn listener(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn hints(&self) -> Option<BorrowedFd<'_>> {
        self.hints.as_ref().map(AsFd::as_fd)
    }

    /// Answers the calls that wait, and notes them.
    pub(crate) fn serve(&mut self) {
        for _ in 0..AT_ONCE {
            let Some(listener) = &self.listener else {
                return;
            };
            let mut fds = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut fds, PollTimeout::ZERO);
            let events = fds[0].revents().unwrap_or(PollFlags::empty());
            if !events.contains(PollFlags::POLLIN) {
                if !events.is_empty() {
                    // Nobody is traced any more.
                    self.listener = None;
                }
                return;
            }
            let Ok(notification) = sys::next_notification(listener) else {
                // It died in between.
                continue;
            };
            // What the interpreter said came before the call that it is about.
            self.listen_to_hints();
            let refuse = self.note(&notification);
            if let Some(listener) = &self.listener {
                sys::answer_notification(listener, notification.id, refuse);
            }
        }
    }

    /// Notes a call; whether it is to be refused.
    fn note(&mut self, notification: &Notification) -> bool {
        let Some(call) = filter::call(notification.number) else {
            return false;
        };
        let tracee = Tracee::of(notification.tid);
        let args = &notification.args;
        let path = |index: usize| {
            let folder = call.at.then(|| args[index - 1]);
            tracee.path(folder, args[index])
        };
        match call.shape {
            Shape::Open { path: at, flags } => {
                let flags = flags.map_or(libc::O_WRONLY as u64, |at| args[at]);
                self.opened(call, &tracee, &path(at), flags);
            }
            Shape::OpenHow { path: at, how } => {
                let flags = tracee.word(args[how]);
                self.opened(call, &tracee, &path(at), flags);
            }
            Shape::Write { path: at } => self.changed(EventKind::Write, call, &tracee, &path(at)),
            Shape::Delete { path: at } => self.changed(EventKind::Delete, call, &tracee, &path(at)),
            Shape::Own { descriptor } => {
                let path = tracee.path(Some(args[descriptor]), 0);
                self.changed(EventKind::Write, call, &tracee, &path);
            }
            Shape::Move { from, to } => {
                self.renamed(EventKind::Delete, call, &tracee, &path(from), &path(to));
            }
            Shape::Link { from, to } => {
                self.renamed(EventKind::Write, call, &tracee, &path(from), &path(to));
            }
            Shape::Symlink { text, path: at } => {
                let (path, real) = tracee.itself(&path(at));
                let verdict = self.within(real.as_deref().unwrap_or(&path));
                let what = format!("{path} to {}", tracee.text(args[text]));
                self.add(EventKind::Write, call, &tracee, what, verdict);
            }
            Shape::Exec {
                path: at,
                args: list,
            } => {
                let command = tracee.command(tracee::normal(&path(at)), args[list]);
                self.process(call, &tracee, command);
            }
            Shape::Fork => self.process(call, &tracee, "a process of its own".to_owned()),
            Shape::Reach { address } | Shape::Listen { address } => {
                self.reached(call, &tracee, args[address]);
            }
            Shape::Send { header, count } => {
                let count = count.map_or(1, |at| args[at].min(MESSAGES));
                for message in 0..count {
                    let header = args[header].wrapping_add(message * MESSAGE);
                    self.reached(call, &tracee, tracee.word(header));
                }
            }
            Shape::Hide { .. } => {
                let what =
                    if call.name == "prctl" && tracee::low_half(args[0]) == libc::PR_SET_DUMPABLE {
                        "prctl(PR_SET_DUMPABLE): to hide its memory".to_owned()
                    } else {
                        format!("{}: a filter of its own, to hide what it does", call.name)
                    };
                self.refused(call, &tracee, what);
                return true;
            }
            Shape::Signal => {
                let what = format!("{}: a signal to what supervises it", call.name);
                self.refused(call, &tracee, what);
            }
            Shape::Identity { arguments } => {
                // The kernel refuses it: there is no capability for it, and none can be had.
                if let Some(other) = tracee.other_identity(&args[..arguments]) {
                    let what = format!("{}: to become {other}", call.name);
                    self.refused(call, &tracee, what);
                }
            }
            Shape::Groups { count, list } => {
                // Refused, whichever they are.
                let groups = tracee.numbers(args[list], args[count]);
                self.refused(call, &tracee, format!("{}: to groups {groups}", call.name));
            }
        }
        false
    }

    fn process(&mut self, call: &Call, tracee: &Tracee, what: String) {
        self.add(
            EventKind::Process,
            call,
            tracee,
            what,
            TraceVerdict::Allowed,
        );
    }

    fn refused(&mut self, call: &Call, tracee: &Tracee, what: String) {
        self.add(
            EventKind::Refused,
            call,
            tracee,
            what,
            TraceVerdict::Refused,
        );
    }

    fn reached(&mut self, call: &Call, tracee: &Tracee, address: u64) {
        if let Some((what, own)) = tracee.address(address) {
            self.add(EventKind::Network, call, tracee, what, verdict(own));
        }
    }

    /// A second name, or another one: whoever then opens a secret by it has looked for it here.
    fn renamed(&mut self, kind: EventKind, call: &Call, tracee: &Tracee, from: &str, to: &str) {
        let real = tracee.leads_to(from);
        let ((from, old), (to, new)) = (tracee.itself(from), tracee.itself(to));
        self.secret(call, tracee, real.as_deref().unwrap_or(&from), &from);
        let changed = match kind {
            EventKind::Delete => old.as_ref().unwrap_or(&from),
            _ => new.as_ref().unwrap_or(&to),
        };
        let verdict = self.within(changed);
        self.add(kind, call, tracee, format!("{from} to {to}"), verdict);
    }

    fn opened(&mut self, call: &Call, tracee: &Tracee, asked: &str, flags: u64) {
        let changing = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
        let changes = flags & u64::from(changing.cast_unsigned()) != 0;
        let path = tracee::normal(asked);
        // What is only read of the system leads nowhere else: the root is read-only, and an import opens hundreds. Behind
        // `..` it may: a link can stand before it.
        let own = SYSTEM.iter().any(|folder| path.starts_with(folder));
        let look = changes || !own || asked.contains("..");
        let real = look.then(|| tracee.leads_to(asked)).flatten();
        self.secret(call, tracee, real.as_deref().unwrap_or(&path), &path);
        if changes && !matches!(path.as_str(), "/dev/null" | "/dev/tty") {
            self.changed_at(EventKind::Write, call, tracee, path, real);
        }
    }

    /// Tells of a secret at `real`, which the program may call otherwise.
    fn secret(&mut self, call: &Call, tracee: &Tracee, real: &str, called: &str) {
        let home = self.home.as_deref();
        if !secret::is_secret(called, home) && !secret::is_secret(real, home) {
            return;
        }
        let what = if real == called {
            called.to_owned()
        } else {
            format!("{real} (called {called})")
        };
        self.add(EventKind::Secret, call, tracee, what, TraceVerdict::Allowed);
    }

    fn changed(&mut self, kind: EventKind, call: &Call, tracee: &Tracee, asked: &str) {
        let (path, real) = match kind {
            // What is taken away is the link itself, not what it leads to.
            EventKind::Delete => tracee.itself(asked),
            _ => (tracee::normal(asked), tracee.leads_to(asked)),
        };
        self.changed_at(kind, call, tracee, path, real);
    }

    fn changed_at(
        &mut self,
        kind: EventKind,
        call: &Call,
        tracee: &Tracee,
        path: String,
        real: Option<String>,
    ) {
        let Some(real) = real.filter(|real| *real != path) else {
            let verdict = self.within(&path);
            return self.add(kind, call, tracee, path, verdict);
        };
        let verdict = self.within(&real);
        let what = format!("{real} (called {path})");
        self.add(kind, call, tracee, what, verdict);
    }

    /// Whether a path is in a folder that can be written to.
    fn within(&self, path: &str) -> TraceVerdict {
        let path = std::path::Path::new(path);
        let own = |folder: &PathBuf| path.starts_with(folder);
        verdict(self.writable.iter().any(own) || path.starts_with("/dev"))
    }

    fn add(
        &mut self,
        kind: EventKind,
        call: &Call,
        tracee: &Tracee,
        what: String,
        verdict: TraceVerdict,
    ) {
        let mut said = self.said.get(&tracee.tid);
        if said.is_none() && kind == EventKind::Process {
            said = tracee.parent().and_then(|parent| self.said.get(&parent));
        }
        let (file, line) = said
            .filter(|hint| hint.is_about(kind, call.name, &what))
            .map(|hint| (hint.file.clone(), hint.line))
            .unzip();
        let event = TraceEvent {
            at_us: self.now(),
            kind,
            call: call.name.to_owned(),
            what,
            verdict,
            pid: tracee.tid,
            count: 1,
            file,
            line,
            seen: Seen::Kernel,
        };
        if TOUCHES.contains(&call.name) {
            self.log.touch(event);
        } else {
            self.log.add(event);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Takes some of what the interpreter said: `H`, then thread, line, file, event and detail, parted by NUL.
    pub(crate) fn listen_to_hints(&mut self) {
        self.hear_all();
    }

    /// The same; whether nothing more is there.
    fn hear_all(&mut self) -> bool {
        let mut buffer = [0; 2048];
        for _ in 0..AT_ONCE * 4 {
            let Some(hints) = &self.hints else {
                return true;
            };
            match sys::read_some(hints, &mut buffer) {
                sys::Moved::Bytes(count) => self.hint(&String::from_utf8_lossy(&buffer[..count])),
                sys::Moved::Blocked => return true,
                sys::Moved::Closed => self.hints = None,
            }
        }
        false
    }

    fn hint(&mut self, text: &str) {
        let Some(text) = text.strip_prefix('H') else {
            return;
        };
        let fields: Vec<&str> = text.splitn(5, '\0').collect();
        let &[tid, line, file, event, detail] = fields.as_slice() else {
            return;
        };
        let (Ok(tid), Ok(line)) = (tid.parse(), line.parse()) else {
            return;
        };
        let file = log::short(file);
        if self.said.len() < THREADS || self.said.contains_key(&tid) {
            let hint = Hint::new(file.clone(), line, event, detail);
            self.said.insert(tid, hint);
        }
        let Some(kind) = said::kind_of(event, detail) else {
            return;
        };
        // What the kernel tells of need not be told twice. It is not asked about what the container's profile refuses.
        let untold = matches!(kind, EventKind::Name | EventKind::Refused);
        if !untold && self.listener.is_some() {
            return;
        }
        let own = match kind {
            EventKind::Name => TraceVerdict::Refused,
            // gVisor has no such profile: it answers some of these calls itself.
            EventKind::Refused => verdict(self.listener.is_none()),
            // Where a relative path leads is not known here; it is the workspace unless the script went elsewhere.
            EventKind::Write | EventKind::Delete if detail.starts_with('/') => self.within(detail),
            _ => TraceVerdict::Allowed,
        };
        self.log.add(TraceEvent {
            at_us: self.now(),
            kind,
            call: log::short(event),
            what: said::said(event, detail),
            verdict: own,
            pid: tid,
            count: 1,
            file: Some(file),
            line: Some(line),
            seen: Seen::Program,
        });
    }

    /// Everything, with its figures.
    pub(crate) fn finish(mut self) -> (Vec<TraceEvent>, TraceEnd) {
        let heard = (0..LAST_ROUNDS).any(|_| self.hear_all());
        if !heard && self.unavailable.is_none() {
            self.unavailable = Some(
                "the interpreter had said more than is read at the end: what it alone tells of may be missing".to_owned(),
            );
        }
        let told = self.log.finish();
        let end = TraceEnd {
            unavailable: self.unavailable,
            total: told.total,
            left_out: told.left_out.values().sum(),
            left_out_by_kind: told.left_out,
        };
        (told.events, end)
    }
}

fn verdict(own: bool) -> TraceVerdict {
    if own {
        TraceVerdict::Allowed
    } else {
        TraceVerdict::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_interpreter_said_last_is_read_to_its_end() {
        let mut tracer = Tracer::new(Instant::now(), Vec::new(), None);
        let (ours, theirs) = sys::message_pair().expect("a pair");
        sys::set_nonblocking(&theirs).expect("it never waits");
        // Whatever `net.core.wmem_default` says; the kernel takes as much of it as `net.core.wmem_max` allows.
        nix::sys::socket::setsockopt(&theirs, nix::sys::socket::sockopt::SndBuf, &(1 << 20))
            .expect("a larger socket");
        tracer.hear(ours);
        let mut sent = 0;
        loop {
            let word = format!("H1\0{sent}\0main.py\0socket.getaddrinfo\0{sent}.example.org");
            match sys::write_some(&theirs, word.as_bytes()) {
                sys::Moved::Bytes(_) => sent += 1,
                _ => break,
            }
        }
        // The other end stays open, as a process that was not waited for would keep it.
        assert!(sent > 256, "more than one round, not {sent}");
        let (events, end) = tracer.finish();
        assert_eq!(end.total, sent);
        assert_eq!(events.len() as u64 + end.left_out, sent);
        let last = format!("{}.example.org", sent - 1);
        assert!(events.iter().any(|event| event.what == last));
        drop(theirs);
    }
}
