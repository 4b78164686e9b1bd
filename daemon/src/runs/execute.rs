//! One run in one container: hands over, relays, watches the clock, and is the authority on the end.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use saferun_frames::{Account, MAX_DATA, RunSpec, ToDaemon, ToSupervisor};
use saferun_protocol::{Event, OutputChunk, Stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time::{sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    files::Brought,
    gather::{Gather, Gathered},
    listener::Listener,
    output::OutputStream,
    pending::Pending,
    pick::STDERR_END,
    registry::StdinPiece,
    transcript::Transcript,
    verdict::{Ending, Stopped},
};
use crate::{
    engine::Instance,
    pool::WarmContainer,
    steps::{Step, reached},
};

/// From the request to kill and report to the kill from outside. A container that is throttled by its
/// CPU quota gets no time for up to one period of 100 ms (`cfs_period_us`), so twice that and a bit.
const GRACE: Duration = Duration::from_millis(250);
/// How long a result waits for the engine's word that the container was killed.
const KILL_PATIENCE: Duration = Duration::from_secs(2);
/// What the supervisor gets to look at and to tell what a run left behind, once everything of it is dead.
const COLLECT: Duration = Duration::from_secs(10);
/// What a reader that has fallen behind gets to take the rest of the output after the end.
const SLOW_READER: Duration = Duration::from_secs(10);

/// What is to be run, and how it is reached while it runs.
pub(super) struct Execution<'run> {
    pub(super) container: &'run mut WarmContainer,
    pub(super) spec: RunSpec,
    pub(super) source: Vec<u8>,
    pub(super) files: Vec<Brought>,
    pub(super) stdin: mpsc::Receiver<StdinPiece>,
    /// Standard input that came with the request, and whether it is all.
    pub(super) given: Option<Vec<u8>>,
    pub(super) cancel: CancellationToken,
    pub(super) time_limit: Duration,
    pub(super) listener: Listener,
    /// Whether the run goes on when nobody listens any more.
    pub(super) detach: bool,
    /// Whether the reader gets the output.
    pub(super) returns_output: bool,
    /// Everything that it writes.
    pub(super) transcript: Arc<Transcript>,
}

/// How it went.
pub(super) struct Executed {
    pub(super) ending: Ending,
    /// Until the script was handed over; all of the time if it never was.
    pub(super) start_time: Duration,
    pub(super) run_time: Duration,
    /// The end of standard error.
    pub(super) stderr_end: Vec<u8>,
    /// What it left behind, if that was to be told and its account came.
    pub(super) gathered: Gathered,
}

struct Relay {
    gather: Gather,
    gathered: Gathered,
    /// When the supervisor said that nothing of the run is alive.
    collecting: Option<Instant>,
    stdout: OutputStream,
    stderr: OutputStream,
    /// The ends of standard output and standard error, until the end report comes.
    tails: [Vec<u8>; 2],
    tail_allowed: u64,
    stderr_end: Vec<u8>,
    pending: Pending,
    transcript: Arc<Transcript>,
    credit: u64,
    returns_output: bool,
    /// When the whole script had been written to the container.
    handed_over: Option<Duration>,
}

impl Execution<'_> {
    /// Runs to the end. Never fails: every failure is an [`Ending`].
    pub(super) async fn run(self) -> Executed {
        let began = Instant::now();
        let watch = self.container.instance.watch();
        let (ending, relay, listener, deaf) = tokio::select! {
            driven = self.drive(began) => driven,
            never = watch => match never {},
        };
        let whole = began.elapsed();
        let start_time = relay.handed_over.unwrap_or(whole);
        let mut pending = relay.pending;
        // What the program wrote before its end belongs to the reader, within reason.
        if !deaf {
            let _ = timeout(SLOW_READER, async {
                while let Some(event) = pending.pop() {
                    if !listener.tell(event).await {
                        break;
                    }
                }
            })
            .await;
        }
        Executed {
            ending,
            start_time,
            run_time: whole.saturating_sub(start_time),
            stderr_end: relay.stderr_end,
            gathered: relay.gathered,
        }
    }

    fn relay(&self) -> Relay {
        let allowed = self.spec.output_head + self.spec.output_tail;
        Relay {
            gather: Gather::new(self.spec.account),
            gathered: Gathered::nothing(self.spec.account),
            collecting: None,
            stdout: OutputStream::new(allowed),
            stderr: OutputStream::new(allowed),
            tails: [Vec::new(), Vec::new()],
            tail_allowed: self.spec.output_tail,
            stderr_end: Vec::new(),
            pending: if self.listener.hears() {
                Pending::new(Event::Started)
            } else {
                Pending::of_nobody()
            },
            transcript: Arc::clone(&self.transcript),
            credit: 0,
            returns_output: self.returns_output,
            handed_over: None,
        }
    }

    async fn drive(mut self, began: Instant) -> (Ending, Relay, Listener, bool) {
        let deadline = began + self.time_limit;
        let mut relay = self.relay();
        let mut outgoing = hand_over(&self.spec, &self.source, &std::mem::take(&mut self.files));
        let mut written = 0;
        let mut input = self.given.take().map_or_else(Input::open, Input::given);
        if !self.spec.stdin {
            input = Input::none();
        }
        let mut stopped: Option<(Stopped, Instant)> = None;
        let mut deaf = false;
        let mut buffer = vec![0; MAX_DATA];
        // One for all rounds: each new one would be put into the timers and taken out again.
        let alarm = sleep_until(deadline.into());
        tokio::pin!(alarm);

        let ending = loop {
            if written == outgoing.len() {
                relay.hand_over_at(began);
                outgoing.clear();
                written = 0;
                input.take_frames(&mut relay.credit, &mut outgoing);
            }
            let wake = match (stopped, relay.collecting) {
                (Some((Stopped::Cancelled, at)), _) | (Some((_, at)), None) => at + GRACE,
                (_, Some(at)) => at + COLLECT,
                (None, None) => deadline,
            };
            if alarm.deadline() != wake.into() {
                alarm.as_mut().reset(wake.into());
            }
            tokio::select! {
                biased;
                () = self.cancel.cancelled(), if stopped.is_none() => {
                    stopped = Some((Stopped::Cancelled, Instant::now()));
                    outgoing.extend_from_slice(&ToSupervisor::Terminate.encode());
                }
                () = self.listener.closed(), if !deaf => {
                    deaf = true;
                    if !self.detach {
                        self.cancel.cancel();
                    }
                }
                () = &mut alarm => {
                    if let Some((stopped, _)) = stopped {
                        // The removal sees to it if this takes longer: a large sandbox dies slowly.
                        let _ = timeout(KILL_PATIENCE, self.container.instance.kill()).await;
                        break Ending::Killed { stopped };
                    }
                    if relay.collecting.is_some() {
                        break lost(&*self.container.instance, "it did not come to an end with what the run left behind".to_owned()).await;
                    }
                    stopped = Some((Stopped::Deadline, Instant::now()));
                    outgoing.extend_from_slice(&ToSupervisor::Terminate.encode());
                }
                permit = room(&self.listener, relay.pending.not_before()), if !relay.pending.is_empty() && !deaf => {
                    if let (Ok(permit), Some(event)) = (permit, relay.pending.pop()) {
                        permit.send(event);
                    }
                }
                sent = self.container.sink.write(&outgoing[written..]), if written < outgoing.len() => {
                    match sent {
                        Ok(count) if count > 0 => written += count,
                        // The end of the other direction says what happened.
                        _ => { outgoing.clear(); written = 0; input = Input::none(); }
                    }
                }
                piece = self.stdin.recv(), if input.wants_more() => input.add(piece),
                read = self.container.source.read(&mut buffer), if relay.pending.has_room() => {
                    let count = match read {
                        Ok(count) => count,
                        Err(error) => break lost(&*self.container.instance, format!("its stream broke: {error}")).await,
                    };
                    if count == 0 {
                        break lost(&*self.container.instance, "its stream ended".to_owned()).await;
                    }
                    self.container.decoder.push(&buffer[..count]);
                    match relay.take(&mut self.container.decoder) {
                        Ok(None) => {}
                        Ok(Some(Last::End(report))) => {
                            let stopped = stopped.map(|(stopped, _)| stopped);
                            break match stopped {
                                _ if report.token == self.spec.token => Ending::Reported { report, stopped },
                                // Called off before the supervisor knew the token.
                                Some(stopped) => Ending::Killed { stopped },
                                None => lost(
                                    &*self.container.instance,
                                    "the end report is not the supervisor's: the program forged it".to_owned(),
                                )
                                .await,
                            };
                        }
                        Ok(Some(Last::Fault(reason))) | Err(reason) => break lost(&*self.container.instance, reason).await,
                    }
                    if deaf {
                        relay.pending.clear();
                    }
                }
            }
        };
        relay.flush();
        (ending, relay, self.listener, deaf)
    }
}

/// A place in the reader's queue, not before this moment.
async fn room(
    listener: &Listener,
    not_before: Option<Instant>,
) -> Result<mpsc::Permit<'_, Event>, mpsc::error::SendError<()>> {
    if let Some(moment) = not_before {
        sleep_until(moment.into()).await;
    }
    listener.reserve().await
}

async fn lost(instance: &dyn Instance, reason: String) -> Ending {
    Ending::Lost {
        reason,
        remains: instance.remains().await,
    }
}

/// Standard input on its way: what has come and what may still come.
struct Input {
    held: VecDeque<u8>,
    open: bool,
    end_sent: bool,
}

impl Input {
    fn open() -> Self {
        Self {
            held: VecDeque::new(),
            open: true,
            end_sent: false,
        }
    }

    fn given(bytes: Vec<u8>) -> Self {
        Self {
            held: bytes.into(),
            open: false,
            end_sent: false,
        }
    }

    fn none() -> Self {
        Self {
            held: VecDeque::new(),
            open: false,
            end_sent: true,
        }
    }

    fn wants_more(&self) -> bool {
        self.open && self.held.is_empty()
    }

    fn add(&mut self, piece: Option<StdinPiece>) {
        match piece {
            Some(piece) => {
                self.held.extend(piece.bytes);
                self.open = !piece.end;
            }
            None => self.open = false,
        }
    }

    /// Frames for as much as the credit allows; the end once all was sent.
    fn take_frames(&mut self, credit: &mut u64, outgoing: &mut Vec<u8>) {
        let allowed = usize::try_from(*credit).unwrap_or(usize::MAX);
        let count = self.held.len().min(allowed).min(MAX_DATA);
        if count > 0 {
            let bytes: Vec<u8> = self.held.drain(..count).collect();
            *credit -= count as u64;
            outgoing.extend_from_slice(&ToSupervisor::Stdin(bytes).encode());
        }
        if !self.open && self.held.is_empty() && !self.end_sent {
            self.end_sent = true;
            outgoing.extend_from_slice(&ToSupervisor::StdinEnd.encode());
        }
    }
}

enum Last {
    End(Box<saferun_frames::EndReport>),
    Fault(String),
}

impl Relay {
    fn hand_over_at(&mut self, began: Instant) {
        if self.handed_over.is_none() {
            self.handed_over = Some(began.elapsed());
            reached(Step::ScriptHandedOver);
        }
    }

    /// Takes all whole frames; returns the last one if it came.
    fn take(&mut self, decoder: &mut saferun_frames::Decoder) -> Result<Option<Last>, String> {
        while let Some(frame) = ToDaemon::next(decoder).map_err(|error| error.to_string())? {
            reached(Step::FirstFrame);
            match frame {
                ToDaemon::Stdout(bytes) => self.output(Stream::Stdout, &bytes)?,
                ToDaemon::Stderr(bytes) => self.output(Stream::Stderr, &bytes)?,
                ToDaemon::StdoutTail(bytes) => self.tail(Stream::Stdout, &bytes)?,
                ToDaemon::StderrTail(bytes) => self.tail(Stream::Stderr, &bytes)?,
                ToDaemon::StdinCredit(bytes) => {
                    self.credit = self.credit.saturating_add(u64::from(bytes));
                    self.pending.push(Event::StdinCredit { bytes });
                }
                ToDaemon::Collecting => {
                    self.collecting.get_or_insert_with(Instant::now);
                }
                ToDaemon::Change(change) => self.gather.change(*change)?,
                ToDaemon::Content(bytes) => self.gather.content(&bytes)?,
                ToDaemon::Trace(events) => self.gather.trace(events)?,
                ToDaemon::End(mut report) => {
                    let gather =
                        std::mem::replace(&mut self.gather, Gather::new(Account::default()));
                    self.gathered = gather.finish(report.collected.take(), report.trace.take())?;
                    self.join_tails([report.stdout.dropped, report.stderr.dropped])?;
                    return Ok(Some(Last::End(report)));
                }
                ToDaemon::Fault(fault) => return Ok(Some(Last::Fault(fault.message))),
                ToDaemon::Ready(_) => return Err("it said twice that it is ready".to_owned()),
            }
        }
        Ok(None)
    }

    /// Output for the record, and for the reader if the policy hands any back.
    fn tell(&mut self, stream: Stream, chunk: OutputChunk) {
        self.transcript.add(stream, &chunk);
        if self.returns_output {
            self.pending.output(stream, chunk);
        }
    }

    fn stream(&mut self, stream: Stream) -> &mut OutputStream {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), String> {
        let chunk = self
            .stream(stream)
            .push(bytes)
            .map_err(|error| error.to_string())?;
        if stream == Stream::Stderr {
            self.stderr_end.extend_from_slice(bytes);
            let surplus = self.stderr_end.len().saturating_sub(STDERR_END);
            self.stderr_end.drain(..surplus);
        }
        if let Some(chunk) = chunk {
            self.tell(stream, chunk);
        }
        Ok(())
    }

    /// A tail waits for the end report, which alone says whether there is a gap before it.
    fn tail(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), String> {
        let held = match stream {
            Stream::Stdout => &mut self.tails[0],
            Stream::Stderr => &mut self.tails[1],
        };
        if held.len() as u64 + bytes.len() as u64 > self.tail_allowed {
            return Err("the sandbox sent more output than it was allowed to".to_owned());
        }
        held.extend_from_slice(bytes);
        Ok(())
    }

    /// Lets the tails follow what came before them, with a gap where bytes are missing.
    fn join_tails(&mut self, dropped: [u64; 2]) -> Result<(), String> {
        for (index, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            let tail = std::mem::take(&mut self.tails[index]);
            if dropped[index] > 0 {
                // A character held back before a gap will never be completed.
                if let Some(chunk) = self.stream(stream).flush() {
                    self.tell(stream, chunk);
                }
                let chunk = OutputChunk::Gap {
                    dropped_bytes: dropped[index],
                };
                self.tell(stream, chunk);
            }
            self.output(stream, &tail)?;
        }
        Ok(())
    }

    fn flush(&mut self) {
        // Without an end report the tails are all there is; how much is missing is not known.
        if self.tails.iter().any(|tail| !tail.is_empty()) {
            let _ = self.join_tails([0, 0]);
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            if let Some(chunk) = self.stream(stream).flush() {
                self.tell(stream, chunk);
            }
        }
    }
}

/// Everything that starts the run, as frames.
fn hand_over(spec: &RunSpec, source: &[u8], files: &[Brought]) -> Vec<u8> {
    let mut frames = ToSupervisor::Run(spec.clone()).encode();
    for piece in source.chunks(MAX_DATA) {
        frames.extend_from_slice(&ToSupervisor::Source(piece.to_vec()).encode());
    }
    for file in files {
        frames.extend_from_slice(&ToSupervisor::File(file.head.clone()).encode());
        for piece in file.bytes.chunks(MAX_DATA) {
            frames.extend_from_slice(&ToSupervisor::FileData(piece.to_vec()).encode());
        }
    }
    frames.extend_from_slice(&ToSupervisor::Start.encode());
    frames
}
