//! Building images: one build at a time, its steps told to whoever asked, the engine given the result.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use jsonrpsee::types::ErrorObjectOwned;
use saferun_image::{
    ImageConfig, Inputs, LABEL_DIGEST, LABEL_VARIANT, Progress, Stage, VARIANT_PYTHON,
    build_rootfs, digest,
};
use saferun_protocol::{Code, ImageEvent};
use tokio::sync::{Mutex, mpsc};

use crate::{engine::Engine, world::WorldHandle};

/// The one variant there is yet.
pub(crate) const VARIANT: &str = VARIANT_PYTHON;
/// Which variant an image is.
pub(crate) const VARIANT_LABEL: &str = LABEL_VARIANT;
/// Digest of what an image was built from.
pub(crate) const DIGEST_LABEL: &str = LABEL_DIGEST;
/// Packages, assembly, check, import.
const STEPS: u32 = 4;
/// The supervisor is a static program of about a megabyte; something larger is something else.
const MAX_SUPERVISOR_BYTES: u64 = 64 * 1024 * 1024;

/// Builds images. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ImageService {
    engine: Arc<dyn Engine>,
    supervisor: PathBuf,
    workdir: PathBuf,
    world: Arc<OnceLock<WorldHandle>>,
    building: Arc<Mutex<()>>,
}

impl ImageService {
    /// A service that puts this supervisor into images and works in this folder.
    pub(crate) fn new(engine: Arc<dyn Engine>, supervisor: PathBuf, workdir: PathBuf) -> Self {
        Self {
            engine,
            supervisor,
            workdir,
            world: Arc::default(),
            building: Arc::default(),
        }
    }

    /// Where to say that there is a new image.
    pub(crate) fn attach(&self, world: WorldHandle) {
        // Attached once, by boot.
        let _ = self.world.set(world);
    }

    /// Computes the digest of the image that this daemon wants; again only if the supervisor changed.
    pub(crate) fn digest_source(
        &self,
    ) -> impl Fn() -> Result<String, String> + Send + Sync + 'static {
        let supervisor = self.supervisor.clone();
        let known: std::sync::Mutex<Option<(SystemTime, u64, String)>> =
            std::sync::Mutex::default();
        move || {
            let unreadable = |error: std::io::Error| unreadable(&supervisor, &error);
            let meta = fs::metadata(&supervisor).map_err(unreadable)?;
            let stamp = meta.modified().map_err(unreadable)?;
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, length, digest)) = &*known
                && *at == stamp
                && *length == meta.len()
            {
                return Ok(digest.clone());
            }
            let fresh = digest(&inputs(&supervisor)?);
            *known = Some((stamp, meta.len(), fresh.clone()));
            Ok(fresh)
        }
    }

    /// Starts a build and returns its events. When they are dropped, the build is given up.
    pub(crate) fn build(
        &self,
        variant: &str,
        force: bool,
    ) -> Result<mpsc::Receiver<ImageEvent>, ErrorObjectOwned> {
        if variant != VARIANT {
            return Err(Code::InvalidRequest.error(
                format!("there is no image variant called `{variant}`"),
                format!("the variants are: {VARIANT}"),
            ));
        }
        let world = self.world.get().cloned().ok_or_else(|| {
            Code::Internal.error("the daemon is not up yet", "try again in a moment")
        })?;
        let Ok(turn) = Arc::clone(&self.building).try_lock_owned() else {
            return Err(
                Code::Busy.error("an image is being built already", "wait until it is done")
            );
        };
        let (events, inbox) = mpsc::channel(256);
        let service = self.clone();
        tokio::spawn(async move {
            let _turn = turn;
            let last = match service.build_now(&world, force, &events).await {
                Ok(event) => event,
                Err(message) => ImageEvent::Failed { message },
            };
            let _ = events.send(last).await;
        });
        Ok(inbox)
    }

    async fn build_now(
        &self,
        world: &WorldHandle,
        force: bool,
        events: &mpsc::Sender<ImageEvent>,
    ) -> Result<ImageEvent, String> {
        world.refresh().await;
        let now = world.current();
        if now.capabilities.is_none() {
            let why = now
                .problem
                .unwrap_or_else(|| "the container engine does not answer".to_owned());
            return Err(format!("{why}; `saferunctl doctor` tells what is missing"));
        }
        let current = now.image_infos().into_iter().find(|image| image.current);
        if let Some(image) = current.filter(|_| !force) {
            return Ok(ImageEvent::Built {
                image,
                unchanged: true,
            });
        }
        let inputs = inputs(&self.supervisor)?;
        let config = ImageConfig::new(&inputs, &jiff::Timestamp::now().to_string());
        let tar = self.unpack(inputs, events.clone()).await?;
        step(events, 4, "Handing the image to the container engine").await;
        let tag = format!("saferun/{VARIANT}:latest");
        let imported = self
            .engine
            .import_image(&tar, &config.changes(), &tag)
            .await;
        let _ = fs::remove_dir_all(&self.workdir);
        let id = imported.map_err(|error| error.to_string())?;
        world.refresh().await;
        let images = world.current().image_infos();
        let image = images
            .into_iter()
            .find(|image| image.id.as_deref() == Some(id.as_str()))
            .ok_or_else(|| format!("the engine took the image as {id} but does not list it"))?;
        Ok(ImageEvent::Built {
            image,
            unchanged: false,
        })
    }

    /// Builds the root file system on a thread of its own; ends early when nobody listens any more.
    async fn unpack(
        &self,
        inputs: Inputs,
        events: mpsc::Sender<ImageEvent>,
    ) -> Result<PathBuf, String> {
        let workdir = self.workdir.clone();
        // What a build that was killed has left is of no use.
        let _ = fs::remove_dir_all(&workdir);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&workdir)
            .map_err(|error| format!("cannot make {}: {error}", workdir.display()))?;
        let cancel = Arc::new(AtomicBool::new(false));
        let watcher = {
            let (cancel, events) = (Arc::clone(&cancel), events.clone());
            tokio::spawn(async move {
                events.closed().await;
                cancel.store(true, Ordering::Relaxed);
            })
        };
        let built = tokio::task::spawn_blocking(move || {
            let mut tell = |progress| {
                if let Some(event) = progress_event(progress) {
                    // A reader that is gone sets the flag; a slow one slows the build, which is fine.
                    let _ = events.blocking_send(event);
                }
            };
            build_rootfs(&inputs, &workdir, &mut tell, &cancel).map_err(|error| error.to_string())
        })
        .await
        .map_err(|error| format!("the build broke off: {error}"))?;
        watcher.abort();
        built
    }
}

async fn step(events: &mpsc::Sender<ImageEvent>, step: u32, message: &str) {
    let message = message.to_owned();
    let _ = events
        .send(ImageEvent::Step {
            message,
            step,
            steps: STEPS,
        })
        .await;
}

fn progress_event(progress: Progress) -> Option<ImageEvent> {
    let (step, message) = match progress {
        Progress::Line(line) => {
            let line = line.chars().filter(|c| !c.is_control()).take(500).collect();
            return Some(ImageEvent::Log { line });
        }
        Progress::Stage(Stage::Packages) => (1, "Fetching and unpacking Debian packages"),
        Progress::Stage(Stage::Assemble) => (2, "Taking out what a sandbox must not have"),
        Progress::Stage(Stage::Audit) => (3, "Checking the result"),
        _ => return None,
    };
    Some(ImageEvent::Step {
        message: message.to_owned(),
        step,
        steps: STEPS,
    })
}

fn inputs(supervisor: &Path) -> Result<Inputs, String> {
    let meta = fs::metadata(supervisor).map_err(|error| unreadable(supervisor, &error))?;
    if !meta.is_file() || meta.len() > MAX_SUPERVISOR_BYTES {
        return Err(format!(
            "{} is not the supervisor: reinstall SafeRun",
            supervisor.display()
        ));
    }
    let bytes = fs::read(supervisor).map_err(|error| unreadable(supervisor, &error))?;
    Ok(Inputs::new(bytes))
}

fn unreadable(supervisor: &Path, error: &std::io::Error) -> String {
    format!(
        "the supervisor {} cannot be read ({error}): it belongs beside saferund; set SAFERUN_INIT if it is elsewhere",
        supervisor.display()
    )
}
