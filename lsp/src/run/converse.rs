//! Has a run done by the daemon, or by the next one where it stops: the stream of a run, from the request to the end.

use std::time::Duration;

use saferun_protocol::{ApiClient, Client, Event, OutputChunk, RunRequest, RunResult, Stream};
use tokio::time::Instant;

use super::{drive::Run, tell};
use crate::daemon;

/// Output that is kept for the report, in bytes of each stream.
const KEPT_OUTPUT: usize = 1024 * 1024;
/// How long the daemon may take to tell of the end of a run that was cancelled.
const END_WITHIN: Duration = Duration::from_secs(10);
/// How long a daemon that stops may go on answering that it does.
const HAND_OVER: Duration = Duration::from_secs(25);
/// How long a daemon may take to scan a run's code and to take it, while its engine may not answer.
const TAKEN_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks for the next daemon.
const NEXT_DAEMON: Duration = Duration::from_millis(20);
const CANCELLED_EARLY: &str = "Cancelled before it began.";

/// What came of a run.
pub(super) struct Ended {
    pub(super) result: Box<RunResult>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// What came of a conversation with one daemon.
enum Came {
    /// The run is over.
    Ended(Ended),
    /// The daemon stops and has begun nothing, with its account if it had taken the run.
    HandedOver(Option<Ended>),
}

/// What is known of the daemons before.
#[derive(Default)]
struct Told {
    /// One of them said that it stops.
    draining: bool,
    /// The client heard that the run was accepted.
    accepted: bool,
}

impl Told {
    /// Whether the client has not heard this from an earlier daemon.
    fn is_news(&mut self, event: &Event) -> bool {
        !matches!(event, Event::Accepted { .. }) || !std::mem::replace(&mut self.accepted, true)
    }
}

/// What the program wrote, as far as it is kept.
#[derive(Default)]
struct Output {
    stdout: String,
    stderr: String,
}

impl Output {
    /// Keeps the beginning and, of what is too long, the end of a stream: a traceback is at the end.
    fn keep(&mut self, stream: Stream, chunk: &OutputChunk) {
        let kept = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        if let OutputChunk::Text { text } = chunk {
            kept.push_str(text);
        }
        if kept.len() > 2 * KEPT_OUTPUT {
            let mut cut = kept.len() - KEPT_OUTPUT;
            while !kept.is_char_boundary(cut) {
                cut += 1;
            }
            kept.replace_range(..cut, "[the beginning is left out]\n");
        }
    }
}

impl Run {
    /// Has the run done by a daemon. One that goes while this run comes hands it over to the next, also where it had
    /// taken it but not begun.
    pub(super) async fn attempt(&self, request: &RunRequest) -> Result<Ended, String> {
        let until = Instant::now() + HAND_OVER;
        let mut told = Told::default();
        // The account of a run that nobody took is the last word where no other daemon comes.
        let mut last = None;
        loop {
            let client = match self.reach(until, told.draining).await {
                Ok(client) => client,
                Err(why) => return self.last_word(last, why),
            };
            match self.converse(client, request, &mut told).await? {
                Came::Ended(ended) => return Ok(ended),
                Came::HandedOver(account) => last = account.or(last),
            }
            told.draining = true;
            if Instant::now() >= until {
                let why = "the daemon stops, and no other one came within 25 s";
                return self.last_word(last, why.to_owned());
            }
            tokio::select! {
                () = tokio::time::sleep(NEXT_DAEMON) => {}
                () = self.cancel.cancelled() => return Err(CANCELLED_EARLY.to_owned()),
            }
        }
    }

    /// The account that a daemon gave before it went, where there is one and nobody cancelled; else why there is none.
    fn last_word(&self, account: Option<Ended>, why: String) -> Result<Ended, String> {
        let account = account.filter(|_| !self.cancel.is_cancelled());
        account.ok_or(why)
    }

    /// A connection to a daemon; while one is replaced, the next is waited for.
    async fn reach(&self, until: Instant, draining: bool) -> Result<Client, String> {
        let may_start = self.shared.settings().start_daemon;
        loop {
            let reached = tokio::select! {
                reached = daemon::reach(may_start) => reached,
                () = self.cancel.cancelled() => return Err(CANCELLED_EARLY.to_owned()),
            };
            match reached {
                Err(_) if draining && Instant::now() < until => {
                    tokio::time::sleep(NEXT_DAEMON).await;
                }
                reached => return reached,
            }
        }
    }

    /// One daemon's part: from the request to the end, or to the word that the next daemon is to be asked.
    async fn converse(
        &self,
        client: Client,
        request: &RunRequest,
        told: &mut Told,
    ) -> Result<Came, String> {
        let asked = tokio::select! {
            asked = tokio::time::timeout(TAKEN_WITHIN, client.subscribe_run(request.clone())) => asked,
            // Not taken yet: leaving ends it.
            () = self.cancel.cancelled() => return Err(CANCELLED_EARLY.to_owned()),
        };
        let asked = asked.map_err(|_| "the daemon did not take the run within 120 s".to_owned())?;
        let mut events = match asked {
            Ok(events) => events,
            Err(error) if daemon::drains(&error) => return Ok(Came::HandedOver(None)),
            Err(error) => return Err(daemon::explain(&error)),
        };
        let mut id = None;
        let mut output = Output::default();
        let mut deadline = None;
        loop {
            let wait = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                event = events.next() => event,
                () = self.cancel.cancelled(), if deadline.is_none() => {
                    let at = Instant::now() + END_WITHIN;
                    deadline = Some(at);
                    match &id {
                        Some(id) => {
                            let kill = client.kill(String::clone(id));
                            let _ = tokio::time::timeout_at(at, kill).await;
                        }
                        // Not accepted yet: leaving ends it.
                        None => return Err(CANCELLED_EARLY.to_owned()),
                    }
                    continue;
                }
                () = wait => return Err("Cancelled; the daemon did not tell of the end in time.".to_owned()),
            };
            match event {
                Some(Ok(Event::Finished { result })) => {
                    let handed_over = result.drained && !self.cancel.is_cancelled();
                    let Output { stdout, stderr } = output;
                    let ended = Ended {
                        result,
                        stdout,
                        stderr,
                    };
                    return Ok(if handed_over {
                        Came::HandedOver(Some(ended))
                    } else {
                        Came::Ended(ended)
                    });
                }
                Some(Ok(event)) => {
                    if told.is_news(&event) {
                        tell::happened(&self.shared, &self.token, &event).await;
                    }
                    match event {
                        Event::Accepted { id: given, .. } => id = Some(given),
                        Event::Output { stream, chunk } => output.keep(stream, &chunk),
                        _ => {}
                    }
                }
                Some(Err(error)) => {
                    return Err(format!("the daemon's answer cannot be read: {error}"));
                }
                // A daemon that ends between the request and its first word has begun nothing.
                None if id.is_none() && !told.draining => return Ok(Came::HandedOver(None)),
                None => {
                    return Err(
                        "the connection to the daemon broke before the run was over".to_owned()
                    );
                }
            }
        }
    }
}
