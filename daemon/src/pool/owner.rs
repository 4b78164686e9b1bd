//! The one task that owns the pool's state. It never waits for the engine: each launch and each
//! removal is a task of its own that reports back as an event.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use saferun_protocol::PoolStatus;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::{mpsc, oneshot, watch},
    time::sleep_until,
};
use tokio_util::task::TaskTracker;

use super::{
    container::{Launcher, WarmContainer},
    handle::{Command, Granted, Lease, PoolSettings, Used},
    key::Key,
    state::{Action, Event, Phase, Pool, SlotId, Ticket},
};
use crate::engine::Template;

/// From the end of a run to the removal of its container. Its streams stay open until then: PID 1 ends with them, and
/// the engine's work on that would compete with the record of the run's end and with its result for the cores.
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

/// A warm container as the owner holds it: a watcher task has the streams and notices a death.
struct Idle {
    claim: oneshot::Sender<Claim>,
}

struct Claim {
    ticket: Ticket,
    reply: oneshot::Sender<Granted>,
    hit: bool,
}

pub(super) struct Owner {
    pool: Pool<Key>,
    launcher: watch::Receiver<Option<Launcher>>,
    commands: mpsc::Sender<Command>,
    publish: watch::Sender<Vec<PoolStatus>>,
    attested: Arc<AtomicU64>,
    epoch: Instant,
    idle: HashMap<SlotId, Idle>,
    waiting: HashMap<Ticket, oneshot::Sender<Granted>>,
    dying: HashMap<SlotId, Used>,
    names: HashMap<SlotId, String>,
    start_times: HashMap<Key, VecDeque<Duration>>,
    alarm: Option<Instant>,
    drained: Vec<oneshot::Sender<()>>,
    tasks: TaskTracker,
}

impl Owner {
    /// An empty pool; nothing happens before it is served.
    pub(super) fn new(
        settings: PoolSettings,
        launcher: watch::Receiver<Option<Launcher>>,
        commands: mpsc::Sender<Command>,
        publish: watch::Sender<Vec<PoolStatus>>,
        attested: Arc<AtomicU64>,
    ) -> Self {
        Self {
            pool: Pool::new(settings.bounds, settings.uids),
            launcher,
            commands,
            publish,
            attested,
            epoch: Instant::now(),
            idle: HashMap::new(),
            waiting: HashMap::new(),
            dying: HashMap::new(),
            names: HashMap::new(),
            start_times: HashMap::new(),
            alarm: None,
            drained: Vec::new(),
            tasks: TaskTracker::new(),
        }
    }

    pub(super) async fn serve(mut self, mut inbox: mpsc::Receiver<Command>) {
        loop {
            let alarm = self.alarm;
            let rings = async {
                match alarm {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(command) => self.take(command),
                    None => return,
                },
                () = rings => {
                    self.alarm = None;
                    self.step(Event::Tick, None);
                }
            }
            self.report();
            if !self.drained.is_empty() && self.pool.live() == 0 {
                for done in self.drained.drain(..) {
                    let _ = done.send(());
                }
            }
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Lease {
                key,
                borrow,
                source,
                reply,
                ticket,
            } => {
                self.waiting.insert(ticket, reply);
                let key = if borrow { self.nearest(key) } else { key };
                self.step(
                    Event::Lease {
                        ticket,
                        key,
                        source,
                    },
                    Some(ticket),
                );
            }
            Command::Cancel(ticket) => {
                self.waiting.remove(&ticket);
                self.step(Event::Cancel { ticket }, None);
            }
            Command::Pin { key, target } => self.step(Event::Pin { key, target }, None),
            Command::Retire { keep } => {
                let old: Vec<Key> = self
                    .pool
                    .keys()
                    .map(|(key, _)| key.clone())
                    .filter(|key| !keep(key))
                    .collect();
                for key in old {
                    self.step(Event::Retire { key }, None);
                }
            }
            Command::Released { slot, used } => {
                let decided = self.pool.phase(slot) == Some(Phase::Removing);
                self.dying.insert(slot, used);
                if decided {
                    self.remove(slot);
                } else {
                    self.step(Event::Released { slot }, None);
                }
            }
            Command::Warm {
                slot,
                key,
                container,
                took,
            } => self.warm(slot, key, *container, took),
            Command::Failed {
                slot,
                reason,
                permanent,
            } => {
                tracing::warn!(slot = slot.0, %reason, "a container could not be started");
                self.names.remove(&slot);
                self.step(
                    Event::LaunchFailed {
                        slot,
                        reason,
                        permanent,
                    },
                    None,
                );
            }
            Command::Died { slot, claimed } => {
                self.idle.remove(&slot);
                match claimed {
                    Some((ticket, reply)) => self.grant_failed(slot, ticket, reply),
                    None => self.step(Event::DiedIdle { slot }, None),
                }
            }
            Command::Removed(slot) => {
                self.names.remove(&slot);
                self.step(Event::Removed { slot }, None);
            }
            Command::Drain { done } => {
                self.drained.push(done);
                self.step(Event::Drain, None);
            }
        }
    }

    /// This key, or a wider one of which a container is warm. Only with an engine on this machine, whose changed limits
    /// the daemon can read back.
    fn nearest(&mut self, key: Key) -> Key {
        let launcher = self.launcher.borrow();
        let local = launcher
            .as_ref()
            .is_some_and(|launcher| launcher.capabilities.local);
        drop(launcher);
        if !local {
            return key;
        }
        let now = self.epoch.elapsed();
        self.pool
            .nearest(now, &key, |other| other.spare(&key))
            .unwrap_or(key)
    }

    fn step(&mut self, event: Event<Key>, asking: Option<Ticket>) {
        let actions = self.pool.step(self.epoch.elapsed(), event);
        for action in actions {
            self.act(action, asking);
        }
    }

    fn act(&mut self, action: Action<Key>, asking: Option<Ticket>) {
        match action {
            Action::Launch {
                slot,
                key,
                uid_offset,
            } => self.launch(slot, key, uid_offset),
            Action::Grant { ticket, slot } => self.grant(ticket, slot, asking == Some(ticket)),
            Action::Refuse { ticket, refusal } => {
                if let Some(reply) = self.waiting.remove(&ticket) {
                    let _ = reply.send(Err(refusal.into()));
                }
            }
            Action::Remove { slot } => self.remove(slot),
            Action::WakeAt(at) => {
                let at = self.epoch + at;
                self.alarm = Some(self.alarm.map_or(at, |alarm| alarm.min(at)));
            }
        }
    }

    fn launch(&mut self, slot: SlotId, key: Key, uid_offset: u32) {
        let name = format!("saferun-{}", uuid::Uuid::now_v7().simple());
        self.names.insert(slot, name.clone());
        let launcher = self.launcher.borrow().clone();
        let commands = self.commands.clone();
        self.tasks.spawn(async move {
            let Some(launcher) = launcher else {
                let reason = "the container engine does not answer".to_owned();
                let _ = commands
                    .send(Command::Failed {
                        slot,
                        reason,
                        permanent: true,
                    })
                    .await;
                return;
            };
            let began = Instant::now();
            let command = match launcher.launch(&name, &key.0, uid_offset).await {
                Ok(container) => {
                    let took = began.elapsed();
                    Command::Warm {
                        slot,
                        key,
                        container: Box::new(container),
                        took,
                    }
                }
                Err(error) => {
                    let (reason, permanent) = (error.to_string(), error.is_permanent());
                    Command::Failed {
                        slot,
                        reason,
                        permanent,
                    }
                }
            };
            let _ = commands.send(command).await;
        });
    }

    fn warm(&mut self, slot: SlotId, key: Key, container: WarmContainer, took: Duration) {
        self.attested.fetch_add(1, Ordering::Relaxed);
        let times = self.start_times.entry(key.clone()).or_default();
        times.push_back(took);
        if times.len() > 32 {
            times.pop_front();
        }
        let (claim, claimed) = oneshot::channel();
        self.idle.insert(slot, Idle { claim });
        self.tasks.spawn(watch_idle(
            slot,
            key.0,
            container,
            claimed,
            self.commands.clone(),
        ));
        self.step(Event::Launched { slot }, None);
    }

    fn grant(&mut self, ticket: Ticket, slot: SlotId, hit: bool) {
        let Some(reply) = self.waiting.remove(&ticket) else {
            // Given up meanwhile: the watcher gives the container back when its claim is dropped.
            self.idle.remove(&slot);
            return;
        };
        let claim = Claim { ticket, reply, hit };
        let sent = match self.idle.remove(&slot) {
            Some(idle) => idle.claim.send(claim),
            None => Err(claim),
        };
        if let Err(claim) = sent {
            self.grant_failed(slot, ticket, claim.reply);
        }
    }

    /// Nobody could hand the container out: it was dead. Whoever asked gets another, if he still waits.
    fn grant_failed(&mut self, slot: SlotId, ticket: Ticket, reply: oneshot::Sender<Granted>) {
        if reply.is_closed() {
            return self.step(Event::Released { slot }, None);
        }
        self.waiting.insert(ticket, reply);
        self.step(Event::GrantFailed { slot, ticket }, None);
    }

    fn remove(&mut self, slot: SlotId) {
        // Dropping the claim tells an idle container's watcher to hand the instance over.
        self.idle.remove(&slot);
        let Some(Used { instance, streams }) = self.dying.remove(&slot) else {
            return;
        };
        let name = self.names.get(&slot).cloned().unwrap_or_default();
        let launcher = self.launcher.borrow().clone();
        let commands = self.commands.clone();
        self.tasks.spawn(async move {
            // The run's result goes out first: a removal takes the engine most of a core.
            tokio::time::sleep(REMOVAL_PAUSE).await;
            // Before the kill: an attached stream that nobody reads makes the engine hang.
            drop(streams);
            if let Some(launcher) = launcher {
                launcher.take_down(&name, instance).await;
            }
            let _ = commands.send(Command::Removed(slot)).await;
        });
    }

    fn report(&mut self) {
        let pool = &self.pool;
        self.start_times
            .retain(|key, _| pool.keys().any(|(known, _)| known == key));
        let statuses = self.pool.keys().map(|(key, state)| {
            let count = |phase| u32::try_from(self.pool.count(key, phase)).unwrap_or(u32::MAX);
            let mut status = PoolStatus::default();
            status.key = key.to_string();
            status.target = u32::try_from(state.target()).unwrap_or(u32::MAX);
            status.warm = count(Phase::Warm);
            status.starting = count(Phase::Starting);
            status.leased = count(Phase::Leased);
            status.removing = count(Phase::Removing);
            status.hits = state.hits;
            status.misses = state.misses;
            status.died_idle = state.died_idle;
            status.failed_starts = state.failed_starts;
            status.start_ms = self.start_times.get(key).and_then(median_ms);
            status.last_error.clone_from(&state.last_error);
            status
        });
        self.publish.send_replace(statuses.collect());
    }
}

fn median_ms(times: &VecDeque<Duration>) -> Option<f64> {
    let mut sorted: Vec<_> = times.iter().copied().collect();
    sorted.sort_unstable();
    sorted
        .get(sorted.len() / 2)
        .map(|middle| middle.as_secs_f64() * 1000.0)
}

/// How the wait of a warm container ends.
enum Wait {
    Claimed(Claim),
    /// It is to be removed.
    GivenUp,
    /// It ended by itself; somebody may have been promised it in the same moment.
    Died(Option<Claim>),
}

/// Waits for a claim, or for the end of a warm container: its supervisor has nothing to say, so any byte, like the end of
/// its stream, means that it is not fit.
async fn claim_or_end(
    source: &mut (impl AsyncRead + Unpin),
    mut claimed: oneshot::Receiver<Claim>,
) -> Wait {
    let mut byte = [0; 1];
    tokio::select! {
        biased;
        _ = source.read(&mut byte) => {
            claimed.close();
            Wait::Died(claimed.try_recv().ok())
        }
        claim = &mut claimed => claim.map_or(Wait::GivenUp, Wait::Claimed),
    }
}

/// Holds a warm container until it is claimed, given up, or ends by itself.
async fn watch_idle(
    slot: SlotId,
    template: Template,
    mut container: WarmContainer,
    claimed: oneshot::Receiver<Claim>,
    commands: mpsc::Sender<Command>,
) {
    let claim = match claim_or_end(&mut container.source, claimed).await {
        Wait::Claimed(claim) => Some(claim),
        Wait::GivenUp => None,
        Wait::Died(claim) => {
            let claimed = claim.map(|claim| (claim.ticket, claim.reply));
            let _ = commands.send(Command::Died { slot, claimed }).await;
            None
        }
    };
    let runtime = tokio::runtime::Handle::current();
    let mut lease = Lease {
        slot,
        container: Some(container),
        commands,
        runtime,
        hit: false,
        template,
    };
    // Dropping the lease, here or by a requester who is gone, sends the container to its removal.
    if let Some(Claim { reply, hit, .. }) = claim {
        lease.hit = hit;
        let _ = reply.send(Ok(lease));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> (Claim, oneshot::Receiver<Granted>) {
        let (reply, answer) = oneshot::channel();
        let claim = Claim {
            ticket: Ticket(7),
            reply,
            hit: true,
        };
        (claim, answer)
    }

    #[tokio::test]
    async fn c5_who_is_promised_one_that_dies_in_the_same_moment_is_not_forgotten() {
        let (claimed, waits) = oneshot::channel();
        let (claim, mut answer) = claim();
        assert!(claimed.send(claim).is_ok());
        let Wait::Died(Some(claim)) = claim_or_end(&mut tokio::io::empty(), waits).await else {
            panic!("the claim is lost")
        };
        assert_eq!(claim.ticket, Ticket(7));
        assert!(
            matches!(answer.try_recv(), Err(oneshot::error::TryRecvError::Empty)),
            "nobody waits for an answer any more"
        );
    }

    #[tokio::test]
    async fn one_that_lives_is_claimed_or_given_up_and_one_that_speaks_is_dead() {
        let (mut speaks, mut source) = tokio::io::duplex(8);
        let (claimed, waits) = oneshot::channel();
        assert!(claimed.send(claim().0).is_ok());
        let claimed = claim_or_end(&mut source, waits).await;
        assert!(matches!(claimed, Wait::Claimed(_)));
        let (claimed, waits) = oneshot::channel();
        drop(claimed);
        let given_up = claim_or_end(&mut source, waits).await;
        assert!(matches!(given_up, Wait::GivenUp));
        let (_claimed, waits) = oneshot::channel();
        tokio::io::AsyncWriteExt::write_all(&mut speaks, b"x")
            .await
            .unwrap();
        let died = claim_or_end(&mut source, waits).await;
        assert!(matches!(died, Wait::Died(None)));
    }
}
