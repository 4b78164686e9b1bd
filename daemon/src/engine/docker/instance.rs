//! One started container: its streams, and the ways to look at it and to end it.

use std::sync::OnceLock;

use async_trait::async_trait;
use bollard::{
    Docker,
    query_parameters::{InspectContainerOptions, KillContainerOptionsBuilder},
};

use super::{
    create,
    deadlines::{ASK, KILL, UPDATE, within},
    errors::status,
    observe::{self, Located},
    remove,
    stream::Attached,
};
use crate::engine::{
    Counters, EngineError, FrameSink, FrameSource, Instance, OuterFacts, Template,
};

/// How often the engine is asked how a container ended, and the time between.
const LOOKS: u32 = 100;
const LOOKS_AFTER_THE_END: u32 = 5;
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(20);

/// A container of ours, running when this value is made.
pub(super) struct DockerInstance {
    docker: Docker,
    address: String,
    id: String,
    attached: Attached,
    io_given: bool,
    /// Whether the engine shares this machine's process numbers.
    local: bool,
    located: OnceLock<Option<Located>>,
}

impl DockerInstance {
    pub(super) fn new(
        docker: Docker,
        address: String,
        id: String,
        attached: Attached,
        local: bool,
    ) -> Self {
        Self {
            docker,
            address,
            id,
            attached,
            io_given: false,
            local,
            located: OnceLock::new(),
        }
    }
}

impl DockerInstance {
    /// Whether the engine says that its main process was killed for want of memory. It is told of the end, and of the
    /// reason, a moment after the streams have ended.
    async fn ended_for_memory(&self) -> bool {
        let mut ended = 0;
        for _ in 0..LOOKS {
            let call = self
                .docker
                .inspect_container(&self.id, None::<InspectContainerOptions>);
            let Ok(seen) = within("inspect a container", ASK, &self.address, call).await else {
                return false;
            };
            let state = seen.state.unwrap_or_default();
            if state.oom_killed == Some(true) {
                return true;
            }
            // The word of the reason may come after that of the end.
            ended += u32::from(state.running != Some(true));
            if ended == LOOKS_AFTER_THE_END {
                return false;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        false
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
        let located = if self.local {
            observe::locate(&inspected, &self.id)
        } else {
            None
        };
        let facts = observe::facts(&inspected, located.as_ref());
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

    async fn counters(&self) -> Counters {
        let mut counters = match self.located.get() {
            Some(Some(located)) => located.cgroup.counters(),
            _ => Counters::default(),
        };
        // The cgroup goes with its last process, which in gVisor is the one that the kernel kills for want of memory.
        if counters.oom_kills.unwrap_or(0) == 0 && self.ended_for_memory().await {
            counters.oom_kills = Some(1);
        }
        counters
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
                other => other,
            }
        };
        within("kill a container", KILL, &self.address, call).await
    }

    async fn remove(&self) -> Result<(), EngineError> {
        self.attached.cut();
        remove::container(&self.docker, &self.address, &self.id).await
    }
}
