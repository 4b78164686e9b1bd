//! What the daemon knows of the engine and the images. One task owns it; everybody reads a snapshot,
//! so that `status` never waits for the engine. While the engine is there nothing is polled.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jsonrpsee::types::ErrorObjectOwned;
use saferun_protocol::{Cleanup, Code, EngineStatus, ImageInfo};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use crate::{
    engine::{Capabilities, Engine, EngineImage, LATE_LOOKS, Leftover},
    image::{DIGEST_LABEL, VARIANT, VARIANT_LABEL, Wanted},
    journal::Journal,
};

/// Longest wait between two attempts to reach an engine that does not answer.
const LAST_BACKOFF: Duration = Duration::from_secs(30);
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// What a caller waits for a refresh that it needs.
const REFRESH_DEADLINE: Duration = Duration::from_secs(10);

/// A snapshot.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) address: String,
    pub(crate) capabilities: Option<Arc<Capabilities>>,
    pub(crate) images: Vec<EngineImage>,
    /// The variants with the digests that this daemon wants, cheapest first, if the supervisor's binary can be read.
    pub(crate) wanted: Result<Vec<Wanted>, String>,
    pub(crate) problem: Option<String>,
    pub(crate) checked: Instant,
}

impl World {
    /// Whether the engine offers this runtime.
    pub(crate) fn has_runtime(&self, name: &str) -> bool {
        self.capabilities
            .as_ref()
            .is_some_and(|capabilities| capabilities.runtimes.iter().any(|known| known == name))
    }

    fn digest(&self, variant: &str) -> Option<&str> {
        let wanted = self.wanted.as_ref().ok()?.iter();
        let mut wanted = wanted.filter(|known| known.variant == variant);
        wanted.next().map(|known| known.digest.as_str())
    }

    fn current_image(&self, variant: &str) -> Option<&EngineImage> {
        let digest = self.digest(variant)?;
        self.images
            .iter()
            .find(|image| label(image, DIGEST_LABEL) == Some(digest))
    }

    /// Ids of the images that runs may go into.
    pub(crate) fn current_images(&self) -> Vec<String> {
        let wanted = self.wanted.as_deref().unwrap_or_default().iter();
        wanted
            .filter_map(|known| self.current_image(&known.variant))
            .map(|image| image.id.clone())
            .collect()
    }

    /// When an image was built, RFC 3339.
    pub(crate) fn created(&self, id: &str) -> Option<&str> {
        let image = self.images.iter().find(|image| image.id == id)?;
        image.created.as_deref()
    }

    /// The id of the current image of a variant.
    pub(crate) fn image(&self, variant: &str) -> Result<String, ErrorObjectOwned> {
        if self.capabilities.is_none() {
            return Err(Code::EngineUnavailable.error(
                self.problem
                    .clone()
                    .unwrap_or_else(|| "the container engine does not answer".to_owned()),
                "`saferunctl doctor` tells what is missing",
            ));
        }
        if let Some(image) = self.current_image(variant) {
            return Ok(image.id.clone());
        }
        let built = self.images.iter();
        let mut built = built.filter(|image| label(image, VARIANT_LABEL) == Some(variant));
        let message = match &self.wanted {
            Err(reason) => reason.clone(),
            Ok(_) if built.next().is_none() => {
                format!("the sandbox image {variant} was not built yet")
            }
            Ok(_) => format!("the sandbox image {variant} is out of date"),
        };
        Err(Code::ImageMissing.error(message, format!("run `saferunctl image build {variant}`")))
    }

    /// The engine on the wire.
    pub(crate) fn engine_status(&self) -> EngineStatus {
        let mut status = EngineStatus::default();
        status.address.clone_from(&self.address);
        status.problem.clone_from(&self.problem);
        if let Some(capabilities) = &self.capabilities {
            status.reachable = true;
            status.version = Some(capabilities.version.clone());
            status.runtimes.clone_from(&capabilities.runtimes);
        }
        status
    }

    /// The images on the wire; a variant stands there also when it was not built.
    pub(crate) fn image_infos(&self) -> Vec<ImageInfo> {
        let mut infos: Vec<ImageInfo> = self
            .images
            .iter()
            .map(|image| self.describe(image))
            .collect();
        let names = self.wanted.as_deref().unwrap_or_default().iter();
        let names = names.map(|known| known.variant.as_str());
        for name in std::iter::once(VARIANT).chain(names) {
            if !infos.iter().any(|info| info.variant == name) {
                infos.push(ImageInfo::missing(name));
            }
        }
        infos
    }

    fn describe(&self, image: &EngineImage) -> ImageInfo {
        let mut info = ImageInfo::missing(label(image, VARIANT_LABEL).unwrap_or("unknown"));
        info.id = Some(image.id.clone());
        info.size_bytes = Some(image.size);
        info.created.clone_from(&image.created);
        info.digest = label(image, DIGEST_LABEL).map(str::to_owned);
        info.current =
            info.digest.is_some() && info.digest.as_deref() == self.digest(&info.variant);
        info
    }
}

fn label<'image>(image: &'image EngineImage, name: &str) -> Option<&'image str> {
    image
        .labels
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// Reads snapshots and asks for new ones.
#[derive(Clone)]
pub(crate) struct WorldHandle {
    snapshot: watch::Receiver<Arc<World>>,
    refresh: mpsc::Sender<oneshot::Sender<()>>,
}

impl WorldHandle {
    /// Starts the owner task. It sweeps what an earlier daemon left before it says that the engine is there.
    pub(crate) fn start(
        engine: Arc<dyn Engine>,
        journal: Journal,
        wanted: impl Fn() -> Result<Vec<Wanted>, String> + Send + Sync + 'static,
    ) -> Self {
        let first = World {
            address: engine.address(),
            capabilities: None,
            images: Vec::new(),
            wanted: wanted(),
            problem: Some("the container engine was not asked yet".to_owned()),
            checked: Instant::now(),
        };
        let (publish, snapshot) = watch::channel(Arc::new(first));
        let (refresh, requests) = mpsc::channel(16);
        let owner = Owner {
            engine,
            journal,
            publish,
            swept: false,
            wanted: Box::new(wanted),
        };
        tokio::spawn(owner.serve(requests));
        Self { snapshot, refresh }
    }

    /// The latest snapshot, at once.
    pub(crate) fn current(&self) -> Arc<World> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// The latest snapshot; if it shows no usable engine or image, a new one, within a deadline.
    pub(crate) async fn current_or_refresh(&self) -> Arc<World> {
        let world = self.current();
        if world.image(VARIANT).is_ok() {
            return world;
        }
        self.refresh().await;
        self.current()
    }

    /// Asks the engine again and waits for the answer, within a deadline.
    pub(crate) async fn refresh(&self) {
        let (done, finished) = oneshot::channel();
        // The queue may be full of those who asked before: the wait for a place in it is part of the deadline.
        let asked = async {
            if self.refresh.send(done).await.is_ok() {
                let _ = finished.await;
            }
        };
        let _ = timeout(REFRESH_DEADLINE, asked).await;
    }

    /// Asks the engine again without waiting, if the snapshot is older than this.
    pub(crate) fn refresh_if_older(&self, age: Duration) {
        if self.snapshot.borrow().checked.elapsed() > age {
            // A full queue means that a refresh is under way already.
            let _ = self.refresh.try_send(oneshot::channel().0);
        }
    }

    /// Waits for what came of the first question to the engine, for so long at most.
    pub(crate) async fn first_look(&self, most: Duration) {
        let _ = timeout(most, self.snapshot.clone().changed()).await;
    }

    /// Changes of the snapshot.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<World>> {
        self.snapshot.clone()
    }
}

struct Owner {
    engine: Arc<dyn Engine>,
    journal: Journal,
    publish: watch::Sender<Arc<World>>,
    swept: bool,
    wanted: Box<dyn Fn() -> Result<Vec<Wanted>, String> + Send + Sync>,
}

impl Owner {
    async fn serve(mut self, mut requests: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            let reachable = self.look().await;
            let pause = if reachable {
                backoff = FIRST_BACKOFF;
                None
            } else {
                backoff = (backoff * 2).min(LAST_BACKOFF);
                Some(backoff)
            };
            let nap = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            let mut waiting = Vec::new();
            tokio::select! {
                request = requests.recv() => match request {
                    Some(done) => waiting.push(done),
                    None => return,
                },
                () = nap => {}
            }
            while let Ok(done) = requests.try_recv() {
                waiting.push(done);
            }
            if !waiting.is_empty() {
                self.look().await;
                for done in waiting {
                    let _ = done.send(());
                }
            }
        }
    }

    async fn look(&mut self) -> bool {
        let mut world = World::clone(&self.publish.borrow());
        world.checked = Instant::now();
        world.wanted = (self.wanted)();
        match self.ask().await {
            Ok((capabilities, images)) => {
                world.capabilities = Some(Arc::new(capabilities));
                world.images = images;
                world.problem = None;
            }
            Err(problem) => {
                world.capabilities = None;
                world.problem = Some(problem);
            }
        }
        let reachable = world.capabilities.is_some();
        self.publish.send_replace(Arc::new(world));
        reachable
    }

    async fn ask(&mut self) -> Result<(Capabilities, Vec<EngineImage>), String> {
        let capabilities = self
            .engine
            .capabilities()
            .await
            .map_err(|error| error.to_string())?;
        if !self.swept {
            self.sweep().await?;
            self.swept = true;
        }
        let images = self
            .engine
            .images()
            .await
            .map_err(|error| error.to_string())?;
        Ok((capabilities, images))
    }

    /// The engine may still be at a creation that the daemon before had asked for: the name stays in the journal until
    /// a look after the engine's longest deadline found nothing.
    fn look_later(&self, leftover: Leftover) {
        let (engine, journal) = (Arc::clone(&self.engine), self.journal.clone());
        tokio::spawn(async move {
            for pause in LATE_LOOKS {
                tokio::time::sleep(pause).await;
                let removed = engine.remove_leftover(&leftover, journal.instance()).await;
                let sure = matches!(removed, Ok(true)) || pause == LATE_LOOKS[LATE_LOOKS.len() - 1];
                if removed.is_ok() && sure {
                    let _ = journal.forget(&leftover.name, Cleanup::Declared).await;
                    return;
                }
            }
        });
    }

    /// Removes what the journal names and nothing else.
    async fn sweep(&self) -> Result<(), String> {
        let leftovers = self
            .journal
            .leftovers()
            .await
            .map_err(|error| error.to_string())?;
        for leftover in leftovers {
            let there = self
                .engine
                .remove_leftover(&leftover, self.journal.instance())
                .await
                .map_err(|error| error.to_string())?;
            if !there && leftover.id.is_none() {
                self.look_later(leftover);
                continue;
            }
            if there {
                tracing::info!(
                    container = leftover.name,
                    "removed what an earlier daemon left"
                );
            }
            self.journal
                .forget(&leftover.name, Cleanup::Declared)
                .await
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_look_is_waited_for_and_no_longer_than_told() {
        let unasked = World {
            address: "unix:///e.sock".to_owned(),
            capabilities: None,
            images: Vec::new(),
            wanted: Ok(Vec::new()),
            problem: None,
            checked: Instant::now(),
        };
        let (publish, snapshot) = watch::channel(Arc::new(unasked));
        let handle = WorldHandle {
            snapshot,
            refresh: mpsc::channel(1).0,
        };
        // An engine that hangs: this comes back all the same.
        handle.first_look(Duration::from_millis(5)).await;
        publish.send_modify(|_| ());
        let hour = Duration::from_secs(3600);
        for _ in 0..2 {
            let answered = timeout(Duration::from_secs(10), handle.first_look(hour)).await;
            assert!(answered.is_ok(), "what was answered is waited for");
        }
    }
}
