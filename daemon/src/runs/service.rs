//! The run service: admits, waits for a container, executes, tells the result. Knows no RPC.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use jsonrpsee::types::ErrorObjectOwned;
use saferun_policy::Policy;
use saferun_protocol::{Event, Outcome, RunInfo, RunRequest, RunResult};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    account::{blank, refusal, shutting_down, unknown_run, unrecorded},
    admit::{Admitted, admit, client},
    carry::Wanted,
    listener::Listener,
    pick::{Picked, pick},
    refused::{Refusals, Refused},
    registry::{Caller, Registry, RunHandle, StdinPiece},
    stages::Stages,
    template::{permitted, template},
    transcript::Transcript,
    waiting::Wait,
};
use crate::{
    admission::{Gate, Place, Rates, Want},
    audit::{Alerts, Audit, AuditError, Facts, Recorded},
    heavy::{Risky, Turns},
    policy::{Asked, PolicyHandle},
    pool::{Key, PoolHandle},
    steps::{Step, reached},
    world::WorldHandle,
};

/// Runs scripts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RunService {
    pool: PoolHandle,
    world: WorldHandle,
    policies: PolicyHandle,
    gate: Gate,
    rates: Rates,
    registry: Registry,
    audit: Audit,
    alerts: Alerts,
    refusals: Refusals,
    turns: Turns,
    finished: Arc<AtomicU64>,
    closing: Arc<AtomicBool>,
}

/// A run that was admitted and has an id.
pub(crate) struct Accepted {
    pub(crate) id: String,
    stages: Stages,
    admitted: Admitted,
    caller: Caller,
    detach: bool,
    cancel: CancellationToken,
    picked: Option<Picked>,
    engine: String,
    /// Its place among the runs under way; none for one that does not run.
    place: Option<Place>,
    /// All that it writes, to be read when it is over or while it goes on.
    pub(crate) transcript: Arc<Transcript>,
}

impl RunService {
    /// A service over this pool, under the policy that holds.
    pub(crate) fn new(
        pool: PoolHandle,
        world: WorldHandle,
        policies: PolicyHandle,
        rates: Rates,
        audit: Audit,
    ) -> Self {
        Self {
            pool,
            world,
            policies,
            gate: Gate::default(),
            rates,
            registry: Registry::default(),
            audit,
            alerts: Alerts::default(),
            refusals: Refusals::default(),
            turns: Turns::default(),
            finished: Arc::default(),
            closing: Arc::default(),
        }
    }

    /// Checks, scans, decides. An error means that there is no run.
    pub(crate) async fn accept(
        &self,
        caller: Caller,
        request: RunRequest,
        cancel: CancellationToken,
    ) -> Result<Accepted, ErrorObjectOwned> {
        if self.closing.load(Ordering::Relaxed) {
            return Err(shutting_down());
        }
        let mut stages = Stages::begin(request.timing);
        // From here on the run is under this state of the policy, whatever comes meanwhile.
        let policy = self.policies.current();
        let world = self.world.current_or_refresh().await;
        let gvisor = world.has_runtime("runsc");
        let detach = request.detach;
        let unheld = world.capabilities.as_ref().map(|engine| engine.unheld());
        let unheld = unheld.unwrap_or_default();
        let (gate, rates) = (self.gate.clone(), self.rates.clone());
        let seen = Arc::clone(&world);
        let prepare = move |request: &RunRequest, scans: Risky| -> Result<_, ErrorObjectOwned> {
            let resolved = Asked::of(request).resolve(&policy)?;
            let mut admitted = admit(request, &resolved, gvisor, scans)?;
            if !admitted.decision.verdict.runs() {
                return Ok((admitted, None, None));
            }
            admitted.unheld = permitted(&resolved.policy, unheld)?;
            let picked = pick(request, &admitted.needs, &resolved.policy, &seen)?;
            admitted.policy_warnings.extend(picked.warning.clone());
            let place = enter(&gate, &rates, caller, &admitted, &resolved.policy)?;
            Ok((admitted, Some(picked), Some(place)))
        };
        let prepare = move |scans: Risky| {
            prepare(&request, scans).map_err(|error| Box::new((error, Refused::of(&request))))
        };
        let prepared = self.turns.guarded(prepare).await?;
        let (admitted, picked, place) = match prepared {
            Ok(admitted) => admitted,
            Err(refusal) => {
                let (error, refused) = *refusal;
                let counted = self
                    .refusals
                    .record(&self.audit, caller, refused, &error)
                    .await;
                if let Some(outcome) = counted {
                    self.alert(outcome, None);
                }
                return Err(error);
            }
        };
        let id = uuid::Uuid::now_v7().to_string();
        let engine = world
            .capabilities
            .as_ref()
            .map(|engine| engine.version.clone());
        let engine = engine.unwrap_or_default();
        reached(Step::RunAccepted);
        stages.end("scan and policy");
        Ok(Accepted {
            id,
            stages,
            admitted,
            caller,
            detach,
            cancel,
            picked,
            engine,
            place,
            transcript: Arc::default(),
        })
    }

    /// Performs an accepted run. Output goes to `listener` as it comes; the result has none.
    pub(crate) async fn perform(&self, accepted: Accepted, listener: Listener) -> RunResult {
        let began = Instant::now();
        let Accepted {
            id,
            mut stages,
            admitted,
            caller,
            detach,
            cancel,
            picked,
            engine,
            mut place,
            transcript,
        } = accepted;
        let (stdin, stdin_pieces) = mpsc::channel(16);
        let handle = RunHandle {
            caller,
            file_name: admitted.spec.file_name.clone(),
            cancel: cancel.clone(),
            stdin,
            began,
            running: false,
            transcript: Arc::clone(&transcript),
        };
        if !admitted.returns_output {
            transcript.withhold();
        }
        let entry = self.registry.add(&id, handle);
        let mut result = blank(&id, &admitted);
        let span = tracing::info_span!("run", %id);
        if listener.hears() {
            let accepted = Event::Accepted {
                id,
                risk: result.risk,
                findings: result.findings.clone(),
            };
            // That nobody listens any more is noticed where the run waits.
            let _ = listener.tell(accepted).await;
        }
        let picked = picked.filter(|_| admitted.decision.verdict.runs());
        let key = picked
            .as_ref()
            .map(|picked| Key(template(&admitted, picked.image.clone())));
        let waiting = async {
            let wait = Wait {
                place: place.as_mut(),
                source: source(caller),
                most: admitted.queue_wait,
                cancel: &cancel,
                listener: &listener,
                detach,
            };
            Some(wait.for_container(&self.pool, key?).await)
        };
        let image = picked.as_ref().map(|picked| picked.image.as_str());
        let image = image.unwrap_or_default();
        let (recorded, leased) = self
            .begin(&admitted, caller, image, &mut result, &mut stages, waiting)
            .await;
        if leased.is_some() {
            stages.end("container");
        }
        if let Some(picked) = &picked {
            result.sandbox.engine = engine;
            result.sandbox.image.clone_from(&picked.image);
            result.sandbox.variant.clone_from(&picked.variant);
        }
        match leased {
            Some(Ok(lease)) => {
                result.timing.queued_ms = began.elapsed().as_secs_f64() * 1000.0;
                entry.running();
                let run = Wanted {
                    admitted,
                    stdin_pieces,
                    cancel,
                    listener,
                    detach,
                    transcript: Arc::clone(&transcript),
                };
                let stderr = run.execute(lease, &mut result, &mut stages).await;
                if let Some(picked) = picked {
                    picked.tell(&stderr, &mut result);
                }
            }
            Some(Err(why)) => {
                result.timing.queued_ms = began.elapsed().as_secs_f64() * 1000.0;
                why.or_closing(self.closing.load(Ordering::Relaxed))
                    .tell(&mut result);
            }
            // The result says already why it does not run.
            None => {}
        }
        drop(place);
        self.finish(recorded, &mut result, &transcript).await;
        // For whoever asked, and not for the record, whose own time is among them.
        stages.end("record of the end");
        stages.tell(&mut result.timing);
        // Whoever finds no run under this id any more finds it in the record.
        drop(entry);
        self.finished.fetch_add(1, Ordering::Relaxed);
        span.in_scope(|| log_end(&result));
        result
    }

    /// Records the end, then tells whoever follows.
    async fn finish(&self, recorded: Recorded, result: &mut RunResult, transcript: &Transcript) {
        // Contents are for the caller alone: the record would grow by what it does not need.
        let kept = result.without_contents();
        let (streams, order) = (transcript.streams(), transcript.order());
        if let Err(error) = recorded.end(&kept, streams, &order).await {
            tracing::error!(%error, "the end of a run was not recorded");
            result.unrecorded = Some(error.to_string());
        }
        self.alert(result.status, result.exit_code);
        transcript.finish(&kept);
    }

    /// Counts an end, or a request that was refused before it was a run, for the policy's alerts.
    fn alert(&self, outcome: Outcome, exit_code: Option<u8>) {
        let current = self.policies.current();
        let rules = &current.policy().alerts;
        self.alerts.ended(outcome, exit_code, rules);
    }

    /// Records the start, and only then asks for a container. `None`: it does not run, and the result says why.
    async fn begin<L>(
        &self,
        admitted: &Admitted,
        caller: Caller,
        image: &str,
        result: &mut RunResult,
        stages: &mut Stages,
        waiting: impl Future<Output = Option<L>>,
    ) -> (Recorded, Option<L>) {
        let (recorded, started) = self.record(admitted, caller, image, result).await;
        stages.end("record of the start");
        if let Err(error) = &started {
            result.unrecorded = Some(error.to_string());
            if admitted.audit.refuse_unrecorded {
                (result.status, result.message) = (Outcome::SetupFailed, unrecorded(error));
                return (recorded, None);
            }
        }
        if !admitted.decision.verdict.runs() {
            (result.status, result.message) = (Outcome::Blocked, refusal(admitted));
        }
        (recorded, waiting.await)
    }

    /// Records the start.
    async fn record(
        &self,
        admitted: &Admitted,
        caller: Caller,
        image: &str,
        result: &RunResult,
    ) -> (Recorded, Result<(), AuditError>) {
        let verdict = format!("{:?}", admitted.decision.verdict);
        let reasons = &admitted.decision.reasons;
        let facts = Facts {
            uid: caller.uid,
            client: caller.client,
            file_name: &admitted.spec.file_name,
            source: &admitted.source,
            args: &admitted.spec.args,
            env: &admitted.recorded_env,
            stdin: admitted.given.as_deref(),
            stdin_streamed: admitted.stdin_streamed,
            files: admitted
                .files
                .iter()
                .map(|file| (file.head.path.clone(), code_hash(&file.bytes)))
                .collect(),
            verdict: &verdict,
            decision: reasons
                .iter()
                .map(|clause| format!("{}: {}", clause.key, clause.text))
                .collect(),
            override_reason: admitted.override_reason.as_deref(),
            asked: &admitted.asked,
            output_withheld: !admitted.returns_output,
            output_cap: if admitted.decision.verdict.runs() {
                admitted.limits.output.get()
            } else {
                0
            },
            image,
            result,
        };
        Recorded::start(
            self.audit.clone(),
            admitted.audit,
            admitted.secrets.clone(),
            facts,
        )
        .await
    }

    /// What a run of this uid has written so far.
    pub(crate) fn transcript(&self, id: &str, uid: u32) -> Option<Arc<Transcript>> {
        self.registry.find(id, uid).map(|run| run.transcript)
    }

    /// Ends a run of this uid.
    pub(crate) fn kill(&self, id: &str, uid: u32) -> Result<(), ErrorObjectOwned> {
        let run = self.registry.find(id, uid).ok_or_else(|| unknown_run(id))?;
        run.cancel.cancel();
        Ok(())
    }

    /// Passes standard input on to a run of this uid; waits while the program does not read.
    pub(crate) async fn stdin(
        &self,
        id: &str,
        uid: u32,
        bytes: Vec<u8>,
        end: bool,
    ) -> Result<(), ErrorObjectOwned> {
        let run = self.registry.find(id, uid).ok_or_else(|| unknown_run(id))?;
        // A program that ended meanwhile has no use for it: that is no fault of the sender's.
        let _ = run.stdin.send(StdinPiece { bytes, end }).await;
        Ok(())
    }

    /// The runs of one uid.
    pub(crate) fn list(&self, uid: u32) -> Vec<RunInfo> {
        self.registry.list(uid)
    }

    /// How many run, wait, have ended.
    pub(crate) fn counts(&self) -> (u32, u32, u64) {
        let (running, waiting) = self.registry.counts();
        (running, waiting, self.finished.load(Ordering::Relaxed))
    }

    /// Refuses new runs and ends those under way.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.registry.cancel_all();
    }
}

fn log_end(result: &RunResult) {
    tracing::info!(
        outcome = ?result.status,
        risk = %result.risk,
        warm = result.sandbox.warm,
        wall_ms = result.usage.wall_ms,
        "ended"
    );
}

/// Whose turn a run takes.
fn source(caller: Caller) -> u64 {
    u64::from(caller.uid) << 8 | caller.client as u64
}

/// A place for the run, and its count in the rates. A run that finds no place is not counted.
fn enter(
    gate: &Gate,
    rates: &Rates,
    caller: Caller,
    admitted: &Admitted,
    policy: &Policy,
) -> Result<Place, ErrorObjectOwned> {
    let kind = client(caller.client);
    let limits = &policy.limits;
    let place = gate.enter(Want {
        uid: caller.uid,
        source: source(caller),
        person: kind.is_person(),
        concurrency: limits.concurrency,
        shared: policy.places_for(kind),
        queue: limits.queue,
    })?;
    rates.admit(caller.uid, kind, &code_hash(&admitted.source), &limits.rate)?;
    Ok(place)
}

/// What makes two scripts the same code, and two files the same: SHA-256 in hexadecimal.
pub(super) fn code_hash(source: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write as _;
    Sha256::digest(source)
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
