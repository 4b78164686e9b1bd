//! One started container: its streams, and the ways to look at it and to end it.

use std::{
    convert::Infallible,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bollard::{
    Docker,
    errors::Error,
    query_parameters::{
        InspectContainerOptions, KillContainerOptionsBuilder, WaitContainerOptions,
    },
};
use futures_util::{StreamExt as _, future::BoxFuture};
use tokio::time::timeout;

use super::{
    cgroup::Cgroup,
    create,
    deadlines::{ASK, KILL, UPDATE, within},
    errors::status,
    observe::{self, Located},
    podman::Podman,
    remove,
    stream::Attached,
};
use crate::engine::{EngineError, FrameSink, FrameSource, Instance, OuterFacts, Remains, Template};

/// How long the end of a container is looked into, and the time between two looks.
const LOOKING: Duration = Duration::from_secs(4);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Looks after the end was told: the word of the reason may come after it.
const LOOKS_AFTER_THE_END: u32 = 25;

/// How long a container whose streams were cut may take to end before it is killed.
const OWN_END: Duration = Duration::from_millis(100);

/// Between two looks at the counters of a sandbox that runs in gVisor. From an out-of-memory kill to the end of its
/// cgroup 180 ms and more were seen.
const GLANCE: Duration = Duration::from_millis(50);

/// What it runs on.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// Whether the engine shares this machine's process numbers.
    pub(super) local: bool,
    /// Whether its limits end it as a whole, and its cgroup goes before anybody is told.
    pub(super) gvisor: bool,
    /// What Podman needs, if the engine is Podman.
    pub(super) podman: Option<Podman>,
}

/// A container of ours, running when this value is made.
pub(super) struct DockerInstance {
    docker: Docker,
    address: String,
    id: String,
    attached: Attached,
    io_given: bool,
    host: Host,
    located: OnceLock<Option<Located>>,
    seen: Arc<Seen>,
}

/// Counters of the cgroup as they were last seen.
#[derive(Debug, Default)]
struct Seen {
    oom_kills: AtomicU64,
    pids_denied: AtomicU64,
}

impl Seen {
    fn look(&self, cgroup: &Cgroup) {
        for (seen, now) in [
            (&self.oom_kills, cgroup.oom_kills()),
            (&self.pids_denied, cgroup.pids_denied()),
        ] {
            seen.fetch_max(now.unwrap_or(0), Ordering::Relaxed);
        }
    }
}

impl DockerInstance {
    pub(super) fn new(
        docker: Docker,
        address: String,
        id: String,
        attached: Attached,
        host: Host,
    ) -> Self {
        Self {
            docker,
            address,
            id,
            attached,
            io_given: false,
            host,
            located: OnceLock::new(),
            seen: Arc::default(),
        }
    }
}

impl DockerInstance {
    /// Asks the engine how the main process ended, until it says so. It is told of the end, and of the reason, a moment
    /// after the streams have ended.
    async fn ask_for_the_end(&self, remains: &mut Remains) {
        let mut ended = 0;
        while ended < LOOKS_AFTER_THE_END {
            let call = self
                .docker
                .inspect_container(&self.id, None::<InspectContainerOptions>);
            let seen = within("inspect a container", ASK, &self.address, call).await;
            let state = seen.ok().and_then(|seen| seen.state).unwrap_or_default();
            if state.running == Some(false) {
                ended += 1;
                remains.exit_status = state.exit_code.and_then(|code| u8::try_from(code).ok());
            }
            if state.oom_killed == Some(true) {
                remains.oom_kills = Some(1);
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

async fn keep_looking(seen: Arc<Seen>, cgroup: Cgroup) -> Infallible {
    loop {
        tokio::time::sleep(GLANCE).await;
        seen.look(&cgroup);
    }
}

impl DockerInstance {
    /// Whether it ends within [`OWN_END`]: the supervisor does, and with it everything, once its streams are cut. The
    /// engine only has to notice; a kill would have it start the runtime once more.
    async fn ends_by_itself(&self) -> bool {
        let mut end = self
            .docker
            .wait_container(&self.id, None::<WaitContainerOptions>);
        matches!(
            timeout(OWN_END, end.next()).await,
            // An exit code other than 0 comes as an error.
            Ok(Some(Ok(_) | Err(Error::DockerContainerWaitError { .. })))
        )
    }
}

#[async_trait]
impl Instance for DockerInstance {
    fn id(&self) -> &str {
        &self.id
    }

    fn take_io(&mut self) -> Option<(FrameSink, FrameSource)> {
        if std::mem::replace(&mut self.io_given, true) {
            return None;
        }
        Some(self.attached.halves())
    }

    fn diagnostic(&self) -> String {
        self.attached.diagnostic()
    }

    async fn observe(&self) -> Result<OuterFacts, EngineError> {
        let call = self
            .docker
            .inspect_container(&self.id, None::<InspectContainerOptions>);
        let inspected = within("inspect a container", ASK, &self.address, call).await?;
        let located = if self.host.local {
            observe::locate(&inspected, &self.id)
        } else {
            None
        };
        let mut facts = observe::facts(&inspected, located.as_ref());
        if let Some(podman) = &self.host.podman {
            podman.translate(&inspected, &mut facts.declared);
        }
        // Only the first look counts: later the pid may be somebody else's.
        let _ = self.located.set(located);
        Ok(facts)
    }

    async fn update(&self, limits: &Template) -> Result<(), EngineError> {
        let call = self
            .docker
            .update_container(&self.id, create::update(limits));
        within(
            "change the limits of a container",
            UPDATE,
            &self.address,
            call,
        )
        .await
    }

    fn watch(&self) -> BoxFuture<'static, Infallible> {
        let seen = Arc::clone(&self.seen);
        match self.located.get() {
            Some(Some(located)) if self.host.gvisor => {
                Box::pin(keep_looking(seen, located.cgroup.clone()))
            }
            _ => Box::pin(std::future::pending()),
        }
    }

    async fn remains(&self) -> Remains {
        let mut remains = Remains {
            last_words: self.attached.diagnostic(),
            ..Remains::default()
        };
        if let Some(Some(located)) = self.located.get() {
            // First of all: the cgroup goes with its last process.
            self.seen.look(&located.cgroup);
            remains.oom_kills = Some(self.seen.oom_kills.load(Ordering::Relaxed));
            remains.pids_denied = Some(self.seen.pids_denied.load(Ordering::Relaxed));
        }
        if remains.oom_kills.unwrap_or(0) == 0 {
            let _ = timeout(LOOKING, self.ask_for_the_end(&mut remains)).await;
        }
        remains
    }

    async fn end(&self) -> Result<(), EngineError> {
        self.attached.cut();
        if self.ends_by_itself().await {
            return Ok(());
        }
        self.kill().await
    }

    async fn kill(&self) -> Result<(), EngineError> {
        self.attached.cut();
        let options = KillContainerOptionsBuilder::default()
            .signal("SIGKILL")
            .build();
        let call = async {
            match self.docker.kill_container(&self.id, Some(options)).await {
                // Gone, or no longer running: as wished.
                Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(()),
                // Podman's way to say that it no longer runs.
                Err(error) if error.to_string().contains("container state improper") => Ok(()),
                other => other,
            }
        };
        within("kill a container", KILL, &self.address, call).await
    }

    async fn remove(&self) -> Result<(), EngineError> {
        self.attached.cut();
        remove::container(&self.docker, &self.address, &self.id).await
    }

    fn has_processes(&self) -> Option<bool> {
        let located = self.located.get()?.as_ref()?;
        Some(located.cgroup.has_processes())
    }
}
