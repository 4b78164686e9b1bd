//! Bringing up one container: journal, launch, readiness, attestation; and taking it down again.

use std::{sync::Arc, time::Duration};

use saferun_frames::{Decoder, PROTOCOL_VERSION, ToDaemon};
use saferun_image::SANDBOX_UID_BASE;
use saferun_protocol::{AttestationField, Cleanup};
use tokio::{io::AsyncReadExt, time::timeout};

use crate::{
    attest,
    engine::{
        Capabilities, Engine, EngineError, FrameSink, FrameSource, Identity, Instance, LATE_LOOKS,
        Template,
    },
    journal::{Journal, Lent},
    steps::{Step, reached},
};

/// From the start of the container to its supervisor's word: an interpreter start under a CPU quota.
const READY_DEADLINE: Duration = Duration::from_secs(20);
/// One removal; the engine's own calls have shorter deadlines inside.
const REMOVE_DEADLINE: Duration = Duration::from_secs(30);
/// Between two attempts to remove a container that will not go.
const REMOVE_PAUSE: Duration = Duration::from_secs(2);

/// A container that stands by: attested, its interpreter waiting.
pub(crate) struct WarmContainer {
    /// The engine's side of it.
    pub(crate) instance: Box<dyn Instance>,
    /// Frames go in here.
    pub(crate) sink: FrameSink,
    /// Frames come out here.
    pub(crate) source: FrameSource,
    /// Holds what was read beyond the last frame.
    pub(crate) decoder: Decoder,
    /// The settings as both witnesses saw them.
    pub(crate) attestation: Vec<AttestationField>,
    identity: Identity,
    capabilities: Arc<Capabilities>,
    journal: Journal,
}

impl WarmContainer {
    /// Writes down which run it serves, so that the run gets its receipt when the container is gone.
    pub(crate) async fn lend_to(&mut self, run: &str) -> Lent {
        self.journal.lend(&self.identity.name, run).await
    }

    /// Gives it the tighter limits of this template, and reads them back.
    ///
    /// # Errors
    /// The engine refused, or the limits are not what they should be. Nothing may run in it then.
    pub(crate) async fn tighten(&mut self, to: &Template) -> Result<(), LaunchError> {
        self.instance.update(to).await?;
        let outer = self.instance.observe().await?;
        attest::attest_limits(
            &mut self.attestation,
            to,
            &self.identity,
            &self.capabilities,
            &outer,
        )
        .map_err(|error| LaunchError::Attestation {
            reason: error.to_string(),
        })
    }
}

/// Why a container did not come up. Nothing of it is left, or the journal still names it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LaunchError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The journal; without it no container is started.
    #[error(transparent)]
    Journal(#[from] crate::journal::JournalError),
    /// The supervisor did not get ready.
    #[error("the supervisor in the container did not get ready: {reason}")]
    NotReady {
        /// Why.
        reason: String,
    },
    /// The container is not what it should be.
    #[error("the sandbox is not what it should be, so nothing may run in it: {reason}")]
    Attestation {
        /// The field that differs.
        reason: String,
    },
}

impl LaunchError {
    /// Whether trying again at once changes nothing.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Engine(error) => matches!(
                error,
                EngineError::ImageMissing { .. } | EngineError::RuntimeMissing { .. }
            ),
            Self::Attestation { .. } => true,
            Self::Journal(_) | Self::NotReady { .. } => false,
        }
    }
}

/// What a launch needs besides the template.
#[derive(Clone)]
pub(crate) struct Launcher {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) journal: Journal,
    pub(crate) capabilities: Arc<Capabilities>,
}

impl Launcher {
    /// Starts, waits for readiness, attests. On failure the container is removed again.
    pub(crate) async fn launch(
        &self,
        name: &str,
        template: &Template,
        uid_offset: u32,
    ) -> Result<WarmContainer, LaunchError> {
        let identity = Identity {
            name: name.to_owned(),
            instance: self.journal.instance().to_owned(),
            uid: SANDBOX_UID_BASE + uid_offset,
        };
        self.journal.record(name).await?;
        reached(Step::ContainerJournaled);
        let instance = match self.engine.launch(template, &identity).await {
            Ok(instance) => instance,
            Err(error) => {
                self.clean_up_after_failure(name).await;
                return Err(error.into());
            }
        };
        if let Err(error) = self.journal.set_id(name, instance.id()).await {
            self.take_down(name, instance).await;
            return Err(error.into());
        }
        let mut instance = instance;
        match self.make_ready(&mut instance, template, &identity).await {
            Ok((sink, source, decoder, attestation)) => {
                reached(Step::ContainerAttested);
                Ok(WarmContainer {
                    instance,
                    sink,
                    source,
                    decoder,
                    attestation,
                    identity,
                    capabilities: Arc::clone(&self.capabilities),
                    journal: self.journal.clone(),
                })
            }
            Err(error) => {
                self.take_down(name, instance).await;
                Err(error)
            }
        }
    }

    async fn make_ready(
        &self,
        instance: &mut Box<dyn Instance>,
        template: &Template,
        identity: &Identity,
    ) -> Result<(FrameSink, FrameSource, Decoder, Vec<AttestationField>), LaunchError> {
        // What an image imports early may need more memory than the run was given.
        let memory = template.memory_bytes >> 20;
        let not_ready = |reason: String| LaunchError::NotReady {
            reason: format!("{reason} (it had {memory} MiB of memory)"),
        };
        let (sink, mut source) = instance
            .take_io()
            .ok_or_else(|| not_ready("it has no stream".to_owned()))?;
        let mut decoder = Decoder::new();
        let first = timeout(READY_DEADLINE, next_frame(&mut source, &mut decoder))
            .await
            .map_err(|_| not_ready(format!("no word within {} s", READY_DEADLINE.as_secs())))?
            .map_err(|reason| not_ready(explained(reason, &instance.diagnostic())))?;
        let ready = match first {
            ToDaemon::Ready(ready) => ready,
            ToDaemon::Fault(fault) => return Err(not_ready(fault.message)),
            _ => {
                return Err(not_ready(
                    "its first word was not that it is ready".to_owned(),
                ));
            }
        };
        if ready.protocol != PROTOCOL_VERSION {
            return Err(not_ready(format!(
                "it speaks protocol {}, this daemon {PROTOCOL_VERSION}: run `saferunctl image build`",
                ready.protocol
            )));
        }
        let outer = instance.observe().await?;
        let attestation =
            attest::attest(template, identity, &self.capabilities, &ready.facts, &outer).map_err(
                |error| LaunchError::Attestation {
                    reason: error.to_string(),
                },
            )?;
        Ok((sink, source, decoder, attestation))
    }

    /// Ends and removes, again and again until it is gone; a container is never given up on.
    pub(crate) async fn take_down(&self, name: &str, instance: Box<dyn Instance>) {
        let mut failed = false;
        let seen = loop {
            let removed = timeout(REMOVE_DEADLINE, async {
                let _ = instance.end().await;
                reached(Step::ContainerKilled);
                instance.remove().await
            })
            .await;
            match removed {
                Ok(Ok(())) => match instance.has_processes() {
                    Some(false) => break Cleanup::Verified,
                    None => break Cleanup::Declared,
                    Some(true) => tracing::warn!(
                        container = name,
                        "the engine says that it is gone, but a process of it lives; will retry"
                    ),
                },
                Ok(Err(error)) => {
                    tracing::warn!(container = name, %error, "removal failed, will retry");
                }
                Err(_) => tracing::warn!(container = name, "removal took too long, will retry"),
            }
            if !failed {
                failed = true;
                self.journal.is_stuck();
            }
            tokio::time::sleep(REMOVE_PAUSE).await;
        };
        if failed {
            self.journal.unstuck();
        }
        reached(Step::ContainerRemoved);
        if let Err(error) = self.journal.forget(name, seen).await {
            tracing::error!(container = name, %error, "the journal could not be updated");
        }
        reached(Step::ContainerForgotten);
    }

    /// A create may have got through although its answer did not, and may do so only later: look at
    /// once and again, and forget the container only when the last look found nothing.
    async fn clean_up_after_failure(&self, name: &str) {
        self.remove_by_name(name).await;
        let later = self.clone();
        let name = name.to_owned();
        tokio::spawn(async move {
            for pause in LATE_LOOKS {
                tokio::time::sleep(pause).await;
                if later.remove_by_name(&name).await && pause == LATE_LOOKS[LATE_LOOKS.len() - 1] {
                    let _ = later.journal.forget(&name, Cleanup::Declared).await;
                }
            }
        });
    }

    /// True if the engine could say that nothing of this name is left.
    async fn remove_by_name(&self, name: &str) -> bool {
        let leftover = crate::engine::Leftover {
            name: name.to_owned(),
            id: None,
        };
        let removed = self
            .engine
            .remove_leftover(&leftover, self.journal.instance())
            .await;
        if let Err(error) = &removed {
            tracing::warn!(container = name, %error, "still in the journal, for the next look or start");
        }
        removed.is_ok()
    }
}

/// A reason with what PID 1 said on its own standard error, if it said anything.
fn explained(reason: String, diagnostic: &str) -> String {
    if diagnostic.is_empty() {
        reason
    } else {
        format!("{reason}; it said: {diagnostic}")
    }
}

/// The next whole frame of a stream; an error text if the stream ends or breaks the rules.
pub(crate) async fn next_frame(
    source: &mut FrameSource,
    decoder: &mut Decoder,
) -> Result<ToDaemon, String> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if let Some(frame) = ToDaemon::next(decoder).map_err(|error| error.to_string())? {
            return Ok(frame);
        }
        match source.read(&mut buffer).await {
            Ok(0) => return Err("its stream ended".to_owned()),
            Ok(read) => decoder.push(&buffer[..read]),
            Err(error) => return Err(format!("its stream broke: {error}")),
        }
    }
}
