//! The methods: each is a few lines between the wire and a service.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::{
    Extensions, PendingSubscriptionSink,
    core::{SubscriptionResult, async_trait},
    types::ErrorObjectOwned,
};
use saferun_protocol::{
    Anchor, ApiServer, Code, DaemonInfo, Event, HistoryPage, HistoryQuery, HostPath, ImageEvent,
    ImageInfo, ImagePrune, RecordHead, RunInfo, RunRecord, RunRequest, RunResult, Sealed, Status,
    VerifyReport, WatchRequest, WatchRoot,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    peer::{closed, only_the_owner, own_user, peer},
    receipt,
    stream::{follow, forward, send},
};
use crate::{
    audit::{Audit, AuditError},
    heavy::Turns,
    image::ImageService,
    journal::Journal,
    policy::PolicyHandle,
    pool::PoolHandle,
    runs::{Caller, Listener, RunService, Transcript, fill},
    watch::{self, WatchService},
    world::WorldHandle,
};

/// Events that wait for a subscriber.
const EVENT_BUFFER: usize = 64;
/// How long a request for something of the record waits for its turn and the reading, in all.
const READING: Duration = Duration::from_secs(60);
/// A status asks the engine again in the background when it was last asked so long ago.
const STALE: Duration = Duration::from_secs(2);

impl Methods {
    /// Reads the record off the threads that answer: whoever asks for all of it holds up no run.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, AuditError> + Send + 'static,
    ) -> Result<T, ErrorObjectOwned> {
        let read = timeout(READING, self.readers.take(read)).await;
        let slow = |_| {
            let seconds = READING.as_secs();
            Code::Busy.error(
                format!("the record was not read within {seconds} s"),
                "others read it too, or the disk is slow: try again in a moment",
            )
        };
        let read = read.map_err(slow)??;
        read.map_err(|error| unavailable(&error))
    }
}

fn unavailable(error: &AuditError) -> ErrorObjectOwned {
    Code::AuditUnavailable.error(
        error.to_string(),
        "look at the disk's room and at the file; `saferunctl status` shows whether it works again",
    )
}

/// All services, as the RPC trait needs them.
#[derive(Clone)]
pub(crate) struct Methods {
    pub(crate) runs: RunService,
    pub(crate) images: ImageService,
    pub(crate) pool: PoolHandle,
    pub(crate) world: WorldHandle,
    pub(crate) journal: Journal,
    pub(crate) policies: PolicyHandle,
    pub(crate) watches: WatchService,
    pub(crate) audit: Audit,
    pub(crate) readers: Turns,
    /// Verifying takes minutes where the record is large: it must not take the turns of those who only read.
    pub(crate) verifier: Turns,
    pub(crate) began: Instant,
    pub(crate) shutdown: CancellationToken,
}

/// Passes the events of a build on until it ends or nobody listens.
async fn tell_of_build(
    pending: PendingSubscriptionSink,
    started: Result<mpsc::Receiver<ImageEvent>, ErrorObjectOwned>,
) -> SubscriptionResult {
    let mut events = match started {
        Ok(events) => events,
        Err(error) => {
            pending.reject(error).await;
            return Ok(());
        }
    };
    let sink = pending.accept().await?;
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = sink.closed() => return Ok(()),
        };
        let Some(event) = event else { return Ok(()) };
        if !send(&sink, &event).await {
            return Ok(());
        }
    }
}

#[async_trait]
impl ApiServer for Methods {
    async fn status(&self, _extensions: &Extensions) -> Result<Status, ErrorObjectOwned> {
        self.world.refresh_if_older(STALE);
        let world = self.world.current();
        let policy = self.policies.current();
        let daemon = DaemonInfo::new(
            env!("CARGO_PKG_VERSION").to_owned(),
            std::process::id(),
            self.began.elapsed().as_secs(),
            self.journal.instance().to_owned(),
            policy.policy().name.clone(),
        );
        let mut status = Status::new(daemon, world.engine_status());
        status.policy = policy.status();
        status.images = world.image_infos();
        status.pools = self.pool.status();
        (status.running, status.queued, status.finished) = self.runs.counts();
        status.canary_checks = self.pool.canary_checks();
        if let Err(error) = world.image(crate::image::VARIANT) {
            status.problems.push(error.message().to_owned());
        }
        // A policy that could not be replaced still holds: a person is told, and runs go on.
        if let Some(why) = &policy.blocked {
            status.problems.push(format!("no policy holds: {why}"));
        }
        for pool in &status.pools {
            if let Some(error) = &pool.last_error {
                status
                    .problems
                    .push(format!("containers do not start: {error}"));
            }
        }
        match self.journal.stuck() {
            0 => {}
            count => status.problems.push(format!(
                "{count} containers of ended runs could not be removed yet, their cleaning up is unverified: look \
                 what the container engine says (`saferunctl daemon logs`)"
            )),
        }
        if let Some(problem) = self.audit.problem() {
            status.problems.push(problem.to_string());
        }
        match self.audit.late() {
            0 => {}
            count => status.problems.push(format!(
                "ends of runs that are not in the audit record yet: {count}; SafeRun adds them as soon as it can be \
                 written, unless the daemon is killed before"
            )),
        }
        status.ready = status.problems.is_empty();
        Ok(status)
    }

    async fn run(
        &self,
        extensions: &Extensions,
        request: RunRequest,
    ) -> Result<RunResult, ErrorObjectOwned> {
        let caller = Caller {
            uid: peer(extensions)?.uid,
            client: request.client,
        };
        let detach = request.detach;
        let cancel = CancellationToken::new();
        let accepted = self.runs.accept(caller, request, cancel.clone()).await?;
        let transcript = Arc::clone(&accepted.transcript);
        // The transcript has all that it tells: that this end is held says that somebody waits.
        let (events, waits) = mpsc::channel(1);
        let listener = Listener::of_the_end(events);
        let service = self.runs.clone();
        let closed = closed(extensions);
        // The run is a task of its own, so that a call dropped half-way cannot skip its clean-up.
        let mut task = tokio::spawn(async move { service.perform(accepted, listener).await });
        let ends = (!detach).then(|| cancel.clone().drop_guard());
        let result = tokio::select! {
            result = &mut task => result,
            () = closed.cancelled(), if !detach => {
                cancel.cancel();
                (&mut task).await
            }
        };
        drop((ends, waits));
        let mut result = result.map_err(|error| {
            Code::Internal.error(format!("the run failed: {error}"), "see the daemon's log")
        })?;
        fill(&mut result, transcript.shown());
        Ok(result)
    }

    async fn subscribe_run(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        request: RunRequest,
    ) -> SubscriptionResult {
        let peer = match peer(extensions) {
            Ok(peer) => peer,
            Err(error) => {
                pending.reject(error).await;
                return Ok(());
            }
        };
        let caller = Caller {
            uid: peer.uid,
            client: request.client,
        };
        let cancel = CancellationToken::new();
        let accepted = match self.runs.accept(caller, request, cancel).await {
            Ok(accepted) => accepted,
            Err(error) => {
                pending.reject(error).await;
                return Ok(());
            }
        };
        let sink = pending.accept().await?;
        let (events, inbox) = mpsc::channel(EVENT_BUFFER);
        let service = self.runs.clone();
        let listener = Listener::of_all(events);
        let task = tokio::spawn(async move { service.perform(accepted, listener).await });
        forward(&sink, inbox).await;
        let Ok(result) = task.await else {
            return Ok(());
        };
        send(
            &sink,
            &Event::Finished {
                result: Box::new(result),
            },
        )
        .await;
        Ok(())
    }

    async fn stdin(
        &self,
        extensions: &Extensions,
        id: String,
        base64: String,
        end: bool,
    ) -> Result<(), ErrorObjectOwned> {
        let uid = peer(extensions)?.uid;
        let bytes = STANDARD.decode(&base64).map_err(|error| {
            Code::InvalidRequest.error(format!("base64 is not base64: {error}"), "encode the bytes")
        })?;
        self.runs.stdin(&id, uid, bytes, end).await
    }

    async fn kill(&self, extensions: &Extensions, id: String) -> Result<(), ErrorObjectOwned> {
        self.runs.kill(&id, peer(extensions)?.uid)
    }

    async fn ps(&self, extensions: &Extensions) -> Result<Vec<RunInfo>, ErrorObjectOwned> {
        Ok(self.runs.list(peer(extensions)?.uid))
    }

    async fn image_list(
        &self,
        _extensions: &Extensions,
    ) -> Result<Vec<ImageInfo>, ErrorObjectOwned> {
        self.world.refresh().await;
        Ok(self.world.current().image_infos())
    }

    async fn image_prune(
        &self,
        extensions: &Extensions,
        dry_run: bool,
    ) -> Result<ImagePrune, ErrorObjectOwned> {
        only_the_owner(extensions, "remove images")?;
        self.images.prune(dry_run).await
    }

    async fn subscribe_image_build(
        &self,
        pending: PendingSubscriptionSink,
        _extensions: &Extensions,
        variant: String,
        force: bool,
    ) -> SubscriptionResult {
        tell_of_build(pending, self.images.build(&variant, force)).await
    }

    async fn subscribe_image_add(
        &self,
        pending: PendingSubscriptionSink,
        _extensions: &Extensions,
        variant: String,
        packages: Vec<String>,
    ) -> SubscriptionResult {
        tell_of_build(pending, self.images.add(&variant, packages)).await
    }

    async fn subscribe_watch(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        request: WatchRequest,
    ) -> SubscriptionResult {
        let watches = self.watches.clone();
        let subscription = match own_user(extensions) {
            Ok(()) => watch::asked(move || watches.subscribe(&request)).await,
            Err(error) => Err(error),
        };
        let subscription = match subscription {
            Ok(subscription) => subscription,
            Err(error) => {
                pending.reject(error).await;
                return Ok(());
            }
        };
        let sink = pending.accept().await?;
        let mut events = subscription.start();
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = sink.closed() => return Ok(()),
            };
            let Some(event) = event else { return Ok(()) };
            if !send(&sink, &*event).await {
                return Ok(());
            }
        }
    }

    async fn watch_list(
        &self,
        extensions: &Extensions,
    ) -> Result<Vec<WatchRoot>, ErrorObjectOwned> {
        own_user(extensions)?;
        Ok(self.watches.list())
    }

    async fn watch_announce(
        &self,
        extensions: &Extensions,
        files: Vec<HostPath>,
        tool: String,
    ) -> Result<(), ErrorObjectOwned> {
        own_user(extensions)?;
        let watches = self.watches.clone();
        watch::asked(move || watches.announce(&files, &tool)).await
    }

    async fn watch_release(
        &self,
        extensions: &Extensions,
        file: HostPath,
    ) -> Result<(), ErrorObjectOwned> {
        own_user(extensions)?;
        self.watches.release(&file).await
    }

    async fn history(
        &self,
        extensions: &Extensions,
        mut query: HistoryQuery,
    ) -> Result<HistoryPage, ErrorObjectOwned> {
        if query.limit == 0 {
            query.limit = self.policies.current().policy().retention.show;
        }
        let (uid, audit) = (peer(extensions)?.uid, self.audit.clone());
        self.reading(move || audit.history(uid, &query)).await
    }

    async fn record(
        &self,
        extensions: &Extensions,
        id: String,
    ) -> Result<RunRecord, ErrorObjectOwned> {
        let (uid, audit, wanted) = (peer(extensions)?.uid, self.audit.clone(), id.clone());
        let whole = self.reading(move || audit.record(uid, &wanted)).await?;
        let whole = whole.ok_or_else(|| unrecorded(&id))?;
        let mut record = whole.record;
        let receipt = self.journal.receipt(&id).await;
        record.cleanup = receipt::cleanup(receipt, record.result.as_ref());
        if let Some(result) = &mut record.result {
            fill(result, whole.streams);
        }
        Ok(record)
    }

    async fn verify_history(
        &self,
        _extensions: &Extensions,
        key: Option<String>,
        anchors: Option<Vec<Anchor>>,
    ) -> Result<VerifyReport, ErrorObjectOwned> {
        let audit = self.audit.clone();
        let verified = self
            .verifier
            .take(move || audit.verify(key.as_deref(), &anchors.unwrap_or_default()))
            .await?;
        verified.map_err(|error| unavailable(&error))
    }

    async fn history_head(&self, _extensions: &Extensions) -> Result<RecordHead, ErrorObjectOwned> {
        self.audit.head().await.map_err(|error| unavailable(&error))
    }

    async fn seal_history(&self, extensions: &Extensions) -> Result<Sealed, ErrorObjectOwned> {
        // Only who owns the record can have it sealed anew: the key before would stop working for all.
        only_the_owner(extensions, "begin a seal")?;
        self.audit.seal().await.map_err(|error| unavailable(&error))
    }

    async fn subscribe_logs(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        id: String,
        from: u64,
        follow_it: bool,
    ) -> SubscriptionResult {
        let found = async {
            let uid = peer(extensions)?.uid;
            if let Some(log) = self.runs.transcript(&id, uid) {
                return Ok::<_, ErrorObjectOwned>(log);
            }
            let (audit, wanted) = (self.audit.clone(), id.clone());
            let whole = self.reading(move || audit.record(uid, &wanted)).await?;
            let whole = whole.ok_or_else(|| unrecorded(&id))?;
            let result = whole.record.result.ok_or_else(|| unrecorded(&id))?;
            let gone = !whole.record.output_kept && !whole.record.output_withheld
                || (whole.record.dropped_bodies.iter())
                    .any(|name| ["stdout", "stderr", "order"].contains(&name.as_str()));
            let (log, in_place) = Transcript::of(whole.streams, &whole.order, &result);
            if from > 0 && (gone || !in_place) {
                return Err(Code::InvalidRequest.error(
                    "the run has ended, and its record cannot tell which byte that was: its output, or the order in which it came, was not kept as it was",
                    format!("read what was kept from the start: saferunctl logs {id}"),
                ));
            }
            Ok(Arc::new(log))
        };
        let log = match found.await {
            Ok(log) => log,
            Err(error) => {
                pending.reject(error).await;
                return Ok(());
            }
        };
        let sink = pending.accept().await?;
        follow(
            &sink,
            &log,
            usize::try_from(from).unwrap_or(usize::MAX),
            follow_it,
        )
        .await;
        Ok(())
    }

    async fn shutdown(&self, _extensions: &Extensions) -> Result<(), ErrorObjectOwned> {
        self.shutdown.cancel();
        Ok(())
    }
}

fn unrecorded(id: &str) -> ErrorObjectOwned {
    Code::UnknownRun.error(
        format!("no run of yours with the id {id} is recorded"),
        "the method saferun.history lists those that are",
    )
}
