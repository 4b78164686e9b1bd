//! What is done by itself when a finding lands: notify, run, quarantine, as the standing policy says at that moment, each
//! within `watch.rate`. A root's thread hands over what landed and never waits.

use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_policy::{MAX_WATCH_COUNT, Rate, Response};
use saferun_protocol::{ClientKind, Risk, RunRequest, WatchRun, WatchedFile};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    beneath,
    desktop::Desktop,
    inbox::Touch,
    patience::patiently,
    quarantine::{self, NotHeld},
    scan::LARGEST,
    shared::Shared,
    survey::hexadecimal,
};
use crate::{
    audit::Audit,
    policy::PolicyHandle,
    runs::{Caller, Listener, RunService},
};

/// Findings that wait for what is done about them.
const QUEUE: usize = 1_024;
/// Most files of which it is remembered what was done.
const REMEMBERED: usize = 10_000;
/// Answers that are remembered of each kind: no rate of `watch.rate` allows more in a window.
const COUNTED: usize = MAX_WATCH_COUNT as usize;

/// What the responses need.
#[derive(Clone)]
pub(crate) struct Means {
    pub(crate) policies: PolicyHandle,
    pub(crate) audit: Audit,
    pub(crate) runs: RunService,
}

/// A file with findings that landed.
struct Landed {
    shared: Arc<Shared>,
    relative: PathBuf,
    sha256: String,
    risk: Risk,
    rules: Vec<String>,
    /// A model wrote it, as far as the policy recognises that.
    generated: bool,
}

/// What was done about a file, under the content that was judged.
#[derive(Debug, Clone, Default)]
struct Done {
    sha256: String,
    /// What is not done again.
    answered: Vec<Response>,
    quarantined: bool,
    run: Option<WatchRun>,
}

#[derive(Debug, Default)]
struct Memory {
    done: HashMap<PathBuf, Done>,
    order: VecDeque<PathBuf>,
}

/// Hands over what landed, and knows what was done. Cheap to clone.
#[derive(Clone)]
pub(super) struct Responder {
    queue: mpsc::Sender<Landed>,
    memory: Arc<Mutex<Memory>>,
    /// That the queue was full was said since it was last empty.
    crowded: Arc<AtomicBool>,
}

impl Responder {
    /// Starts the task that acts.
    pub(super) fn start(means: Means) -> Self {
        let (queue, inbox) = mpsc::channel(QUEUE);
        let responder = Self {
            queue,
            memory: Arc::default(),
            crowded: Arc::default(),
        };
        let actor = Actor {
            means,
            memory: Arc::clone(&responder.memory),
            windows: Arc::default(),
            desktop: Desktop::start(),
            crowded: Arc::clone(&responder.crowded),
        };
        tokio::spawn(actor.serve(inbox));
        responder
    }

    /// A file with findings landed, or changed. Never waits: where too many wait, this one is left out.
    pub(super) fn landed(
        &self,
        shared: &Arc<Shared>,
        relative: &Path,
        file: &WatchedFile,
    ) -> Handed {
        let landed = Landed {
            shared: Arc::clone(shared),
            relative: relative.to_owned(),
            sha256: file.sha256.clone(),
            risk: file.risk,
            rules: file.findings.iter().map(|one| one.rule.clone()).collect(),
            generated: file.generated.is_some(),
        };
        if landed.sha256.is_empty() || self.queue.try_send(landed).is_ok() {
            return Handed::Over;
        }
        // In a burst beyond the queue the rate would stop them anyway.
        Handed::LeftOut {
            first: !self.crowded.swap(true, Ordering::Relaxed),
        }
    }

    /// Adds what was done about this content.
    pub(super) fn attach(&self, absolute: &Path, item: &mut WatchedFile) {
        if let Some(done) = memory(&self.memory).done.get(absolute)
            && done.sha256 == item.sha256
        {
            item.quarantined = done.quarantined;
            item.run.clone_from(&done.run);
        }
    }

    /// Whether the watch itself took the rights from this file.
    pub(super) fn holds(&self, absolute: &Path) -> bool {
        let memory = memory(&self.memory);
        memory
            .done
            .get(absolute)
            .is_some_and(|done| done.quarantined)
    }

    /// A file is about to have its rights again: with this content nothing more is done about it, also by a daemon that
    /// did not put it in quarantine itself. One that is in quarantine is so until [`Self::released`].
    pub(super) fn releasing(&self, absolute: &Path, sha256: &str) {
        memory(&self.memory).settle(absolute, sha256);
    }

    /// A file has its rights again.
    pub(super) fn released(&self, absolute: &Path, sha256: &str) {
        memory(&self.memory).note(absolute, sha256, |done| done.quarantined = false);
    }
}

/// Whether a finding was handed to who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handed {
    /// It was.
    Over,
    /// Too many wait. A person has to hear of the `first` one.
    LeftOut { first: bool },
}

fn memory(shared: &Mutex<Memory>) -> std::sync::MutexGuard<'_, Memory> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// Which of these were not given about this content under this name yet.
    fn owed(&mut self, file: &Path, sha256: &str, wanted: &[Response]) -> Vec<Response> {
        self.begin(file, sha256);
        let done = self.done.get(file);
        let answered = done.map_or(&[][..], |done| &done.answered);
        let owed = wanted.iter().filter(|one| !answered.contains(one));
        owed.copied().collect()
    }

    /// Nothing more is to be done about this content under this name.
    fn settle(&mut self, file: &Path, sha256: &str) {
        self.begin(file, sha256);
        self.note(file, sha256, |done| {
            done.answered = vec![Response::Notify, Response::Run, Response::Quarantine];
        });
    }

    /// Knows the file by this content from now on, and forgets what was done about another.
    fn begin(&mut self, file: &Path, sha256: &str) {
        match self.done.get(file) {
            Some(done) if done.sha256 == sha256 => return,
            Some(_) => {}
            None => self.order.push_back(file.to_owned()),
        }
        let done = Done {
            sha256: sha256.to_owned(),
            ..Done::default()
        };
        self.done.insert(file.to_owned(), done);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.done.remove(&oldest);
        }
    }

    fn note(&mut self, file: &Path, sha256: &str, note: impl FnOnce(&mut Done)) {
        if let Some(done) = self.done.get_mut(file)
            && done.sha256 == sha256
        {
            note(done);
        }
    }
}

/// When each response was given of late. Pure but for the clock that it is given.
#[derive(Debug, Default)]
struct Windows {
    given: HashMap<&'static str, VecDeque<Instant>>,
    /// Whether a person was told that a rate is full since it was last free.
    told: HashMap<&'static str, bool>,
}

/// What a rate says to one more.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Yes,
    /// The first one that is left out.
    Full(Rate),
    StillFull,
}

impl Windows {
    fn take(&mut self, what: &'static str, rates: &[Rate], now: Instant) -> Turn {
        let times = self.given.entry(what).or_default();
        let full = rates.iter().find(|rate| {
            let within = times
                .iter()
                .rev()
                .take_while(|time| now.duration_since(**time) < rate.window);
            within.count() >= rate.count as usize
        });
        let told = self.told.entry(what).or_default();
        match full {
            Some(_) if *told => Turn::StillFull,
            Some(rate) => {
                *told = true;
                Turn::Full(*rate)
            }
            None => {
                *told = false;
                times.push_back(now);
                if times.len() > COUNTED {
                    times.pop_front();
                }
                Turn::Yes
            }
        }
    }
}

impl Windows {
    /// It was not done after all.
    fn give_back(&mut self, what: &'static str, taken: Instant) {
        if let Some(times) = self.given.get_mut(what)
            && let Some(at) = times.iter().rposition(|time| *time == taken)
        {
            times.remove(at);
        }
    }
}

fn windows(shared: &Mutex<Windows>) -> std::sync::MutexGuard<'_, Windows> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The task that acts.
struct Actor {
    means: Means,
    memory: Arc<Mutex<Memory>>,
    windows: Arc<Mutex<Windows>>,
    desktop: Desktop,
    crowded: Arc<AtomicBool>,
}

/// Whether a response was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Yes,
    /// It could not be: it is owed when the file is written next.
    No,
    /// The same, but the file was changed on the way, so that it will be looked at again in any case.
    Tried,
    /// It is not for files of this kind.
    Never,
}

impl Given {
    /// Whether the rate counts it. Files that cannot be answered must not use up the answers to those that can; but what
    /// makes itself be tried again has no other bound.
    fn counts(self) -> bool {
        matches!(self, Self::Yes | Self::Tried)
    }

    fn is_owed(self) -> bool {
        matches!(self, Self::No | Self::Tried)
    }
}

impl Actor {
    async fn serve(self, mut inbox: mpsc::Receiver<Landed>) {
        while let Some(landed) = inbox.recv().await {
            if inbox.is_empty() {
                self.crowded.store(false, Ordering::Relaxed);
            }
            let absolute = landed.shared.path.join(&landed.relative);
            let snapshot = self.means.policies.current();
            if snapshot.blocked.is_some() {
                continue;
            }
            let rules = &snapshot.policy().watch;
            if rules.only_generated && !landed.generated {
                continue;
            }
            let mut wanted = rules.on_finding[landed.risk as usize].clone();
            wanted.retain(|response| *response != Response::Show);
            if wanted.is_empty() {
                continue;
            }
            let mut wanted = memory(&self.memory).owed(&absolute, &landed.sha256, &wanted);
            // To run it, it has to be read first.
            wanted.sort_by_key(|response| match response {
                Response::Run => 0,
                Response::Quarantine => 1,
                Response::Show | Response::Notify => 2,
            });
            for response in wanted {
                let given = self
                    .in_turn(response, &rules.rate, &landed, &absolute)
                    .await;
                if given.is_owed() {
                    landed.shared.owe(&landed.relative);
                } else {
                    memory(&self.memory).note(&absolute, &landed.sha256, |done| {
                        done.answered.push(response);
                    });
                }
            }
        }
    }

    /// Gives a response if its rate has room.
    async fn in_turn(
        &self,
        response: Response,
        rates: &[Rate],
        landed: &Landed,
        absolute: &Path,
    ) -> Given {
        let (name, now) = (response.as_str(), Instant::now());
        let turn = windows(&self.windows).take(name, rates, now);
        match turn {
            Turn::Yes => {
                let given = self.respond(response, landed, absolute, now).await;
                if !given.counts() {
                    windows(&self.windows).give_back(name, now);
                }
                given
            }
            Turn::Full(rate) => {
                landed.shared.notice(
                    format!("`{name}` on findings is left out: more come than {rate}"),
                    "look at them yourself; `watch.rate` in the policy says how often",
                );
                Given::No
            }
            Turn::StillFull => Given::No,
        }
    }

    async fn respond(
        &self,
        response: Response,
        landed: &Landed,
        absolute: &Path,
        now: Instant,
    ) -> Given {
        match response {
            Response::Notify => self.notify(landed, absolute),
            Response::Run => self.run(landed, absolute, now).await,
            Response::Quarantine => self.quarantine(landed, absolute).await,
            Response::Show => Given::Never,
        }
    }

    fn notify(&self, landed: &Landed, absolute: &Path) -> Given {
        let rules = landed.rules.first().map_or("", String::as_str);
        let title = format!("SafeRun: {} in a file that landed", landed.risk);
        let body = format!("{} ({rules})", absolute.display());
        if self.desktop.tell(&landed.shared, absolute, title, body) {
            Given::Yes
        } else {
            Given::No
        }
    }

    async fn run(&self, landed: &Landed, absolute: &Path, now: Instant) -> Given {
        let ending = landed
            .relative
            .extension()
            .and_then(|ending| ending.to_str());
        if ending != Some("py") {
            return Given::Never;
        }
        let (root, relative) = (landed.shared.path.clone(), landed.relative.clone());
        let read = move || beneath::look(&beneath::root(&root)?, &relative)?.read(LARGEST);
        let Ok(Ok(bytes)) = patiently(read).await else {
            return Given::No;
        };
        let (sha256, file) = (landed.sha256.clone(), absolute.to_owned());
        if hexadecimal(&Sha256::digest(&bytes)) != sha256 {
            // What it is now comes as a finding of its own.
            return Given::No;
        }
        let mut request = RunRequest::default();
        match String::from_utf8(bytes) {
            Ok(text) => request.source = text,
            Err(error) => request.source_base64 = Some(STANDARD.encode(error.into_bytes())),
        }
        request.client = ClientKind::Watch;
        let (runs, memory_of, shared) = (
            self.means.runs.clone(),
            Arc::clone(&self.memory),
            Arc::clone(&landed.shared),
        );
        let rates = Arc::clone(&self.windows);
        tokio::spawn(async move {
            let run = carry_out(&runs, request).await;
            if run.id.is_empty() {
                windows(&rates).give_back(Response::Run.as_str(), now);
            }
            memory(&memory_of).note(&file, &sha256, |done| done.run = Some(run));
            again(&shared, file);
        });
        Given::Yes
    }

    async fn quarantine(&self, landed: &Landed, absolute: &Path) -> Given {
        let (root, sha256) = (&landed.shared.path, &landed.sha256);
        let rules = landed.rules.clone();
        // Noted first: the kernel tells of the change before the call is back.
        memory(&self.memory).note(absolute, sha256, |done| done.quarantined = true);
        let held = quarantine::hold(&self.means.audit, root, &landed.relative, sha256, rules).await;
        let path = absolute.display();
        match held {
            Ok(mode) => {
                tracing::warn!(file = %path, mode = format!("{mode:04o}"), "quarantined");
                again(&landed.shared, absolute.to_owned());
                Given::Yes
            }
            Err(NotHeld {
                why,
                touched,
                without_rights,
            }) => {
                memory(&self.memory)
                    .note(absolute, sha256, |done| done.quarantined = without_rights);
                let told = if without_rights {
                    format!(
                        "the quarantine of {path} failed, and may have left it without rights: {why}"
                    )
                } else {
                    format!("{path} is not in quarantine: {why}")
                };
                landed.shared.notice(told, "look at the file yourself");
                if touched { Given::Tried } else { Given::No }
            }
        }
    }
}

/// Runs it as the daemon runs everything: scanned, decided on by the policy, within the rates, recorded.
async fn carry_out(runs: &RunService, request: RunRequest) -> WatchRun {
    let caller = Caller {
        uid: nix::unistd::geteuid().as_raw(),
        client: ClientKind::Watch,
    };
    match runs.accept(caller, request, CancellationToken::new()).await {
        Ok(accepted) => {
            let (events, _waits) = mpsc::channel(1);
            let result = runs.perform(accepted, Listener::of_the_end(events)).await;
            WatchRun::ended(&result)
        }
        Err(error) => WatchRun::refused(error.message()),
    }
}

/// What is said of a file changed.
fn again(shared: &Shared, file: PathBuf) {
    let touch = Touch {
        again: true,
        ..Touch::default()
    };
    shared.inbox.touch(file, touch);
}

#[cfg(test)]
#[path = "respond_tests.rs"]
mod tests;
