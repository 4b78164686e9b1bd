//! What a traced run does: system calls that the kernel tells of before they happen, and what the interpreter says of
//! itself. Bounded whatever the program does; nothing here allows or prevents anything but hiding.

mod filter;
mod log;
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
use log::Log;
use tracee::Tracee;

/// Calls that are answered before the loop looks at anything else.
const AT_ONCE: usize = 64;
/// Threads of which the last line is remembered.
const THREADS: usize = 512;

/// A trace under way.
pub(crate) struct Tracer {
    listener: Option<OwnedFd>,
    /// Where the interpreter says what it does.
    hints: Option<OwnedFd>,
    lines: HashMap<i32, (String, u32)>,
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
            lines: HashMap::new(),
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
                self.opened(call, &tracee, path(at), flags);
            }
            Shape::OpenHow { path: at, how } => {
                let flags = tracee.word(args[how]);
                self.opened(call, &tracee, path(at), flags);
            }
            Shape::Write { path: at } => self.changed(EventKind::Write, call, &tracee, path(at)),
            Shape::Delete { path: at } => self.changed(EventKind::Delete, call, &tracee, path(at)),
            Shape::Move { from, to } => {
                let (from, to) = (path(from), path(to));
                let verdict = self.within(&from);
                let what = format!("{from} to {to}");
                self.add(EventKind::Delete, call, &tracee, what, verdict);
            }
            Shape::Exec {
                path: at,
                args: list,
            } => {
                let command = tracee.command(path(at), args[list]);
                self.add(
                    EventKind::Process,
                    call,
                    &tracee,
                    command,
                    TraceVerdict::Allowed,
                );
            }
            Shape::Fork => {
                let what = "a process of its own".to_owned();
                self.add(
                    EventKind::Process,
                    call,
                    &tracee,
                    what,
                    TraceVerdict::Allowed,
                );
            }
            Shape::Reach { address } | Shape::Listen { address } => {
                if let Some((what, own)) = tracee.address(args[address]) {
                    let verdict = verdict(own);
                    self.add(EventKind::Network, call, &tracee, what, verdict);
                }
            }
            Shape::Hide => {
                let what = "prctl(PR_SET_DUMPABLE): to hide its memory".to_owned();
                self.add(
                    EventKind::Refused,
                    call,
                    &tracee,
                    what,
                    TraceVerdict::Refused,
                );
                return true;
            }
        }
        false
    }

    fn opened(&mut self, call: &Call, tracee: &Tracee, path: String, flags: u64) {
        let changing = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
        let changes = flags & u64::from(changing.cast_unsigned()) != 0;
        if secret::is_secret(&path, self.home.as_deref()) {
            self.add(
                EventKind::Secret,
                call,
                tracee,
                path.clone(),
                TraceVerdict::Allowed,
            );
        }
        if changes && !matches!(path.as_str(), "/dev/null" | "/dev/tty") {
            self.changed(EventKind::Write, call, tracee, path);
        }
    }

    fn changed(&mut self, kind: EventKind, call: &Call, tracee: &Tracee, path: String) {
        let verdict = self.within(&path);
        self.add(kind, call, tracee, path, verdict);
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
        let mut line = self.lines.get(&tracee.tid);
        if line.is_none() && kind == EventKind::Process {
            line = tracee.parent().and_then(|parent| self.lines.get(&parent));
        }
        let (file, line) = line.cloned().unzip();
        self.log.add(TraceEvent {
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
        });
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Takes what the interpreter said: `H`, then thread, line, file, event and detail, parted by NUL.
    pub(crate) fn listen_to_hints(&mut self) {
        let mut buffer = [0; 2048];
        for _ in 0..AT_ONCE * 4 {
            let Some(hints) = &self.hints else { return };
            match sys::read_some(hints, &mut buffer) {
                sys::Moved::Bytes(count) => self.hint(&String::from_utf8_lossy(&buffer[..count])),
                sys::Moved::Blocked => return,
                sys::Moved::Closed => self.hints = None,
            }
        }
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
        if self.lines.len() < THREADS || self.lines.contains_key(&tid) {
            self.lines.insert(tid, (file.clone(), line));
        }
        let Some(kind) = log::kind_of(event, detail) else {
            return;
        };
        // What the kernel tells of need not be told twice.
        if kind != EventKind::Name && self.listener.is_some() {
            return;
        }
        let own = match kind {
            EventKind::Name => TraceVerdict::Refused,
            EventKind::Write | EventKind::Delete => self.within(detail),
            _ => TraceVerdict::Allowed,
        };
        self.log.add(TraceEvent {
            at_us: self.now(),
            kind,
            call: log::short(event),
            what: detail.to_owned(),
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
        self.listen_to_hints();
        let (events, total, left_out) = self.log.finish();
        let end = TraceEnd {
            unavailable: self.unavailable,
            total,
            left_out,
        };
        (events, end)
    }
}

fn verdict(own: bool) -> TraceVerdict {
    if own {
        TraceVerdict::Allowed
    } else {
        TraceVerdict::Refused
    }
}
