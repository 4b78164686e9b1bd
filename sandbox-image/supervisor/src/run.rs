//! One run: the poll loop from the start of the script to the end of its main process.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use saferun_frames::{Exit, FLOOD_BYTES, MAX_DATA, RunSpec, ToDaemon, ToSupervisor};

use crate::boot::Standby;
use crate::capture::Capture;
use crate::feed::Feed;
use crate::finish::Ended;
use crate::handover::{Answer, HandOver};
use crate::interpreter::{self, Process};
use crate::outer::{HIGH_WATER, Outer};
use crate::places::Places;
use crate::reap;
use crate::stop::Stop;
use crate::sys::{self, Moved, Waited};
use crate::trace::Tracer;

/// Runs the script to the end of its main process.
pub(crate) fn run(
    outer: &mut Outer,
    places: &Places,
    standby: Standby,
    spec: RunSpec,
) -> Result<Ended, Stop> {
    let mut run = Run::begin(places, standby, spec)?;
    // Frames that came together with the start are here already: no poll would tell of them.
    run.listen(outer)?;
    loop {
        run.reap()?;
        if let Some(exit) = run.exit {
            return Ok(run.end(exit));
        }
        run.enforce_limits();
        run.grant(outer);
        for source in run.wait(outer) {
            run.serve(source, outer)?;
        }
        if outer.is_gone() {
            return Err(Stop::Gone);
        }
    }
}

/// Which of the program's two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Out,
    Err,
}

/// One output stream of the program.
pub(crate) struct Channel {
    pub(crate) pipe: Option<OwnedFd>,
    pub(crate) capture: Capture,
    which: Which,
}

impl Channel {
    fn new(pipe: OwnedFd, which: Which, spec: &RunSpec) -> Self {
        let tail = usize::try_from(spec.output_tail).unwrap_or(usize::MAX);
        Self {
            pipe: Some(pipe),
            capture: Capture::new(spec.output_head, tail),
            which,
        }
    }

    /// Reads once and passes on what the head still takes; `false` at a blocked or ended pipe.
    pub(crate) fn relay(&mut self, outer: &mut Outer, buffer: &mut [u8]) -> bool {
        let Some(pipe) = &self.pipe else { return false };
        match sys::read_some(pipe, buffer) {
            Moved::Bytes(count) => {
                let now = self.capture.accept(&buffer[..count]);
                if !now.is_empty() {
                    outer.send(&self.which.data(now.to_vec()));
                }
                true
            }
            Moved::Blocked => false,
            Moved::Closed => {
                self.pipe = None;
                false
            }
        }
    }

    /// Sends what was kept from the end of the stream.
    pub(crate) fn send_tail(&mut self, outer: &mut Outer) {
        let tail = self.capture.take_tail();
        for piece in tail.chunks(MAX_DATA) {
            outer.send(&self.which.tail(piece.to_vec()));
        }
    }
}

impl Which {
    fn data(self, bytes: Vec<u8>) -> ToDaemon {
        match self {
            Self::Out => ToDaemon::Stdout(bytes),
            Self::Err => ToDaemon::Stderr(bytes),
        }
    }

    fn tail(self, bytes: Vec<u8>) -> ToDaemon {
        match self {
            Self::Out => ToDaemon::StdoutTail(bytes),
            Self::Err => ToDaemon::StderrTail(bytes),
        }
    }
}

/// What the loop waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Daemon,
    DaemonRoom,
    Child,
    Answer,
    RequestRoom,
    Stdout,
    Stderr,
    StdinRoom,
    Calls,
    Hints,
}

struct Run<'a> {
    places: &'a Places,
    standby: Standby,
    spec: RunSpec,
    pid: i32,
    hand_over: Option<HandOver>,
    feed: Feed,
    out: Channel,
    err: Channel,
    buffer: Box<[u8]>,
    started: Instant,
    deadline: Option<Instant>,
    /// When everything was killed; the main process may not outlast it for long.
    killed_at: Option<Instant>,
    terminated: bool,
    timed_out: bool,
    flooded: bool,
    exit: Option<Exit>,
    tracer: Option<Tracer>,
}

impl<'a> Run<'a> {
    fn begin(places: &'a Places, mut standby: Standby, spec: RunSpec) -> Result<Self, Stop> {
        let started = Instant::now();
        let mut hand_over = None;
        let trace = spec.account.trace;
        let mut tracer = trace.then(|| {
            Tracer::new(
                started,
                standby.gauge.tmpfs().to_vec(),
                places.home_folder.clone(),
            )
        });
        let process = match standby.held.take() {
            Some(held) if !interpreter::needs_fresh(&spec.env) => {
                hand_over = Some(HandOver::begin(held.request, held.status, &spec));
                held.process
            }
            held => {
                if let Some(held) = held {
                    interpreter::discard(held.process.pid);
                }
                untraced(tracer.as_mut());
                start_fresh(places, &spec)?
            }
        };
        let deadline = match spec.time_limit_ms {
            0 => None,
            limit => started.checked_add(Duration::from_millis(limit)),
        };
        Ok(Self {
            places,
            standby,
            pid: process.pid,
            hand_over,
            feed: Feed::new(process.stdin, spec.stdin),
            out: Channel::new(process.stdout, Which::Out, &spec),
            err: Channel::new(process.stderr, Which::Err, &spec),
            buffer: vec![0; MAX_DATA].into_boxed_slice(),
            started,
            deadline,
            killed_at: None,
            terminated: false,
            timed_out: false,
            flooded: false,
            exit: None,
            tracer,
            spec,
        })
    }

    /// Reaps what has ended, and notes the end of the main process.
    fn reap(&mut self) -> Result<(), Stop> {
        // Before looking: an end after the look must wake the loop again.
        while let Ok(Some(_)) = self.standby.signals.read_signal() {}
        while let Waited::Ended(pid, exit) = sys::wait_any() {
            if pid != self.pid {
                continue;
            }
            self.exit = Some(exit);
            self.heed_answer()?;
            break;
        }
        Ok(())
    }

    /// Replaces a held interpreter that refused the request or died before it took it.
    fn heed_answer(&mut self) -> Result<(), Stop> {
        let Some(hand_over) = &self.hand_over else {
            return Ok(());
        };
        match hand_over.answer() {
            Answer::Pending | Answer::Untraced => return Ok(()),
            Answer::Traced(listener) => {
                if let Some(tracer) = &mut self.tracer {
                    tracer.listen(listener);
                }
            }
            Answer::Taken => {
                if let (Some(hand_over), Some(tracer)) = (self.hand_over.take(), &mut self.tracer) {
                    tracer.hear(hand_over.into_status());
                }
            }
            Answer::Refused => {
                self.hand_over = None;
                if self.killed_at.is_some() {
                    return Ok(());
                }
                interpreter::discard(self.pid);
                untraced(self.tracer.as_mut());
                let process = start_fresh(self.places, &self.spec)?;
                self.exit = None;
                self.pid = process.pid;
                self.feed.redirect(process.stdin);
                self.out.pipe = Some(process.stdout);
                self.err.pipe = Some(process.stderr);
                // It may have ended while no signal was watched.
                self.reap()?;
            }
        }
        Ok(())
    }

    fn enforce_limits(&mut self) {
        let now = Instant::now();
        if self.killed_at.is_none() && self.deadline.is_some_and(|deadline| now >= deadline) {
            self.timed_out = true;
            self.kill();
        }
        let written = self.out.capture.totals().total + self.err.capture.totals().total;
        if self.killed_at.is_none() && written > FLOOD_BYTES {
            self.flooded = true;
            self.kill();
        }
        if self.killed_at.is_some_and(|at| now >= at + reap::PATIENCE) {
            // Stuck in the kernel: report without it. The engine's kill takes the rest.
            self.exit = Some(Exit::Signal(9));
        }
    }

    fn kill(&mut self) {
        self.killed_at = Some(Instant::now());
        reap::kill_everything();
    }

    fn wait(&self, outer: &Outer) -> Vec<Source> {
        let mut wanted: Vec<(Source, BorrowedFd<'_>, PollFlags)> = vec![
            (
                Source::Child,
                self.standby.signals.as_fd(),
                PollFlags::POLLIN,
            ),
            (Source::Daemon, outer.input(), PollFlags::POLLIN),
        ];
        if outer.backlog() > 0 {
            wanted.push((Source::DaemonRoom, outer.output(), PollFlags::POLLOUT));
        }
        if let Some(hand_over) = &self.hand_over {
            wanted.push((Source::Answer, hand_over.status(), PollFlags::POLLIN));
            if let Some(pipe) = hand_over.wants_room() {
                wanted.push((Source::RequestRoom, pipe, PollFlags::POLLOUT));
            }
        }
        if outer.backlog() < HIGH_WATER {
            for (source, channel) in [(Source::Stdout, &self.out), (Source::Stderr, &self.err)] {
                if let Some(pipe) = &channel.pipe {
                    wanted.push((source, pipe.as_fd(), PollFlags::POLLIN));
                }
            }
        }
        if let Some(pipe) = self.feed.wants_room() {
            wanted.push((Source::StdinRoom, pipe, PollFlags::POLLOUT));
        }
        if let Some(tracer) = &self.tracer {
            let sources = [
                (Source::Calls, tracer.listener()),
                (Source::Hints, tracer.hints()),
            ];
            for (source, fd) in sources {
                wanted.extend(fd.map(|fd| (source, fd, PollFlags::POLLIN)));
            }
        }
        let mut fds: Vec<PollFd<'_>> = wanted
            .iter()
            .map(|&(_, fd, events)| PollFd::new(fd, events))
            .collect();
        // An interrupted wait gives no events, and the loop comes back.
        let _ = poll(&mut fds, self.timeout());
        let ready = |fd: &PollFd<'_>| fd.any().unwrap_or(true);
        wanted
            .iter()
            .zip(&fds)
            .filter(|(_, fd)| ready(fd))
            .map(|(&(s, ..), _)| s)
            .collect()
    }

    fn timeout(&self) -> PollTimeout {
        let next = match self.killed_at {
            Some(at) => Some(at + reap::PATIENCE),
            None => self.deadline,
        };
        let Some(next) = next else {
            return PollTimeout::NONE;
        };
        // Rounded up: waking just before the moment would only wait again.
        let left = next.saturating_duration_since(Instant::now()) + Duration::from_micros(999);
        PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
    }

    fn serve(&mut self, source: Source, outer: &mut Outer) -> Result<(), Stop> {
        match source {
            Source::Child => {}
            Source::Daemon => {
                outer.receive();
                self.listen(outer)?;
            }
            Source::DaemonRoom => outer.flush(),
            Source::Answer => self.heed_answer()?,
            Source::RequestRoom => {
                if let Some(hand_over) = &mut self.hand_over {
                    hand_over.push();
                }
            }
            Source::Stdout => {
                self.out.relay(outer, &mut self.buffer);
            }
            Source::Stderr => {
                self.err.relay(outer, &mut self.buffer);
            }
            Source::StdinRoom => self.feed.pump(),
            Source::Calls => self.tracer.iter_mut().for_each(Tracer::serve),
            Source::Hints => self.tracer.iter_mut().for_each(Tracer::listen_to_hints),
        }
        Ok(())
    }

    /// Obeys the frames that were received whole.
    fn listen(&mut self, outer: &mut Outer) -> Result<(), Stop> {
        while let Some(message) = outer.next()? {
            self.obey(message)?;
        }
        Ok(())
    }

    fn obey(&mut self, message: ToSupervisor) -> Result<(), Stop> {
        match message {
            ToSupervisor::Stdin(bytes) => {
                if self.feed.accept(&bytes).is_err() {
                    return Err(Stop::protocol(
                        "standard input beyond the credit or after its end",
                    ));
                }
                self.feed.pump();
            }
            ToSupervisor::StdinEnd => self.feed.end(),
            ToSupervisor::Terminate => {
                if self.killed_at.is_none() {
                    self.terminated = true;
                    self.kill();
                }
            }
            ToSupervisor::Run(_)
            | ToSupervisor::Source(_)
            | ToSupervisor::File(_)
            | ToSupervisor::FileData(_)
            | ToSupervisor::Start => {
                return Err(Stop::protocol(
                    "a second run for a container that is used once",
                ));
            }
        }
        Ok(())
    }

    /// Grants input, but none while the interpreter may still be replaced: it would be lost.
    fn grant(&mut self, outer: &mut Outer) {
        if self.hand_over.is_some() {
            return;
        }
        if let Some(credit) = self.feed.take_credit() {
            outer.send(&ToDaemon::StdinCredit(credit));
        }
    }

    fn end(self, exit: Exit) -> Ended {
        Ended {
            exit,
            wall: self.started.elapsed(),
            terminated: self.terminated,
            timed_out: self.timed_out,
            flooded: self.flooded,
            out: self.out,
            err: self.err,
            buffer: self.buffer,
            gauge: self.standby.gauge,
            tracer: self.tracer,
        }
    }
}

/// A fresh interpreter has no hold that could have itself traced.
fn untraced(tracer: Option<&mut Tracer>) {
    if let Some(tracer) = tracer {
        tracer.unavailable(
            "this run needed an interpreter of its own, for its variables or its modules' names, which cannot be traced",
        );
    }
}

fn start_fresh(places: &Places, spec: &RunSpec) -> Result<Process, Stop> {
    interpreter::fresh(places, spec)
        .map_err(|error| Stop::hand_over(format!("cannot start the interpreter: {error}")))
}
