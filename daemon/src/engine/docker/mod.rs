//! Docker's API (and Podman's, which speaks it) behind the [`Engine`] trait. Nothing outside this
//! folder knows a word of Docker's.

use std::path::PathBuf;

use async_trait::async_trait;
use bollard::{
    Docker,
    query_parameters::{
        AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, StartContainerOptions,
    },
};
use tokio::sync::OnceCell;

use self::{
    deadlines::{ASK, ATTACH, CREATE, START, within},
    errors::{refine, status},
    instance::{DockerInstance, Host},
    podman::Podman,
    stream::Attached,
};
use super::{
    Capabilities, Engine, EngineError, EngineImage, Identity, Instance, Leftover, Template,
};
use crate::steps::{Step, reached};

mod cgroup;
mod create;
mod deadlines;
mod errors;
mod facts;
#[cfg(test)]
mod faults;
mod gvisor;
mod images;
mod instance;
#[cfg(test)]
mod live;
mod observe;
mod paths;
mod podman;
mod remove;
mod seccomp;
mod stream;
mod transport;

pub(crate) use create::{SHM_BYTES, TMPFS_FLAGS, WRITABLE};
pub(crate) use gvisor::{host_tasks, is_gvisor, start_capabilities, start_user};

/// An engine that speaks Docker's API.
pub(crate) struct DockerEngine {
    address: String,
    /// Made at the first call, so that an engine which starts after the daemon is found.
    client: OnceCell<Docker>,
    /// Asked once: where containers run does not change while an engine keeps its address.
    place: OnceCell<Place>,
    /// Where the seccomp profile is written for an engine that takes a path, which is Podman.
    profile: PathBuf,
}

/// The facts that shape each container.
#[derive(Debug, Clone)]
struct Place {
    cgroup_version: Option<u8>,
    local: bool,
    podman: Option<Podman>,
}

impl DockerEngine {
    /// An engine at `unix:///path`, `tcp://host:port` or `http://host:port`. Nothing is sent yet.
    ///
    /// `profile` is a file of the daemon's own that Podman reads the seccomp profile from.
    pub(crate) fn connect(address: &str, profile: PathBuf) -> Self {
        Self {
            address: address.to_owned(),
            client: OnceCell::new(),
            place: OnceCell::new(),
            profile,
        }
    }

    async fn client(&self) -> Result<&Docker, EngineError> {
        self.client
            .get_or_try_init(|| async {
                let docker = transport::open(&self.address)
                    .map_err(|error| refine("agree on a version", ASK, &self.address, &error))?;
                within(
                    "agree on a version",
                    ASK,
                    &self.address,
                    docker.negotiate_version(),
                )
                .await
            })
            .await
    }

    async fn place(&self) -> Result<Place, EngineError> {
        let ask = || async {
            let seen = facts::ask(self.client().await?, &self.address).await?;
            let podman = facts::is_podman(&seen).then(|| self.podman(&seen));
            Ok(Place {
                cgroup_version: seen.cgroup_version,
                local: seen.local,
                podman: podman.transpose()?,
            })
        };
        self.place.get_or_try_init(ask).await.cloned()
    }

    fn podman(&self, seen: &Capabilities) -> Result<Podman, EngineError> {
        let refused = |reason| EngineError::Refused {
            action: "take the seccomp profile",
            reason,
        };
        if !seen.local {
            return Err(refused(
                "Podman reads it from a file of its own machine, and is not on this one; use Docker there".to_owned(),
            ));
        }
        Podman::prepare(&self.profile)
            .map_err(|error| refused(format!("{}: {error}", self.profile.display())))
    }

    /// Creates the container and returns its id.
    async fn create(
        &self,
        docker: &Docker,
        template: &Template,
        identity: &Identity,
        place: &Place,
    ) -> Result<String, EngineError> {
        const ACTION: &str = "create a container";
        let options = CreateContainerOptionsBuilder::default()
            .name(&identity.name)
            .build();
        let mut body = create::body(template, identity, place.cgroup_version);
        if let Some(podman) = &place.podman {
            podman.adapt(&mut body);
        }
        let call = async {
            match docker.create_container(Some(options), body).await {
                Ok(made) => Ok(Ok(made.id)),
                // Of the things that creation names, only the image can be unknown.
                Err(error) if status(&error) == Some(404) => Ok(Err(EngineError::ImageMissing {
                    image: template.image.clone(),
                })),
                Err(error) => match &error {
                    bollard::errors::Error::DockerResponseServerError { message, .. }
                        if message.to_lowercase().contains("unknown runtime")
                            || message
                                .to_lowercase()
                                .contains("unknown or invalid runtime") =>
                    {
                        Ok(Err(EngineError::RuntimeMissing {
                            runtime: template.runtime.clone(),
                        }))
                    }
                    _ => Err(error),
                },
            }
        };
        let id = within(ACTION, CREATE, &self.address, call).await??;
        if remove::is_reference(&id) {
            Ok(id)
        } else {
            Err(EngineError::Refused {
                action: ACTION,
                reason: "its id is malformed".to_owned(),
            })
        }
    }

    /// Attaches, then starts: no byte of the supervisor can be missed.
    async fn run(&self, docker: &Docker, id: &str) -> Result<Attached, EngineError> {
        let options = AttachContainerOptionsBuilder::default()
            .stream(true)
            .stdin(true)
            .stdout(true)
            .stderr(true)
            // None: Podman would look for its own, Ctrl-P Ctrl-Q, among the bytes of a frame.
            .detach_keys("")
            .build();
        let call = docker.attach_container(id, Some(options));
        let attached =
            Attached::new(within("attach to a container", ATTACH, &self.address, call).await?);
        let call = docker.start_container(id, None::<StartContainerOptions>);
        within("start a container", START, &self.address, call).await?;
        Ok(attached)
    }
}

#[async_trait]
impl Engine for DockerEngine {
    fn address(&self) -> String {
        self.address.clone()
    }

    async fn capabilities(&self) -> Result<Capabilities, EngineError> {
        facts::ask(self.client().await?, &self.address).await
    }

    async fn images(&self) -> Result<Vec<EngineImage>, EngineError> {
        images::list(self.client().await?, &self.address).await
    }

    async fn import_image(
        &self,
        tar: &std::path::Path,
        changes: &[String],
        tag: &str,
    ) -> Result<String, EngineError> {
        images::import(self.client().await?, &self.address, tar, changes, tag).await
    }

    async fn remove_image(&self, id: &str) -> Result<(), EngineError> {
        images::remove(self.client().await?, &self.address, id).await
    }

    async fn launch(
        &self,
        template: &Template,
        identity: &Identity,
    ) -> Result<Box<dyn Instance>, EngineError> {
        let docker = self.client().await?;
        let place = self.place().await?;
        let id = self.create(docker, template, identity, &place).await?;
        reached(Step::ContainerCreated);
        match self.run(docker, &id).await {
            Ok(attached) => {
                reached(Step::ContainerStarted);
                Ok(Box::new(DockerInstance::new(
                    docker.clone(),
                    self.address.clone(),
                    id,
                    attached,
                    Host {
                        local: place.local,
                        gvisor: is_gvisor(&template.runtime),
                        podman: place.podman,
                    },
                )))
            }
            Err(error) => {
                // The connection, if there was one, is closed by now. What cannot be removed here
                // stands in the journal under its name.
                if let Err(left) = remove::container(docker, &self.address, &id).await {
                    tracing::warn!(container = id, error = %left, "left behind for the sweep");
                }
                Err(error)
            }
        }
    }

    async fn remove_leftover(
        &self,
        leftover: &Leftover,
        instance: &str,
    ) -> Result<bool, EngineError> {
        remove::leftover(self.client().await?, &self.address, leftover, instance).await
    }
}
