//! Building images: one build at a time, its steps told to whoever asked, the engine given the result.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jsonrpsee::types::ErrorObjectOwned;
use saferun_image::{
    ImageConfig, Inputs, Progress, Stage, Variant, build_rootfs, check_name, resolve,
};
use saferun_protocol::{Code, ImageEvent, ImagePrune, KeptImage};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, mpsc},
    time::{Instant, timeout_at},
};

use super::{Catalog, Wanted};
use crate::{engine::Engine, world::WorldHandle};

/// Most packages that one image adds by name.
const MAX_PACKAGES: usize = 50;
/// Packages, assembly, check, import.
const STEPS: u32 = 4;
/// How long a prune asks the engine to remove images, however many there are; what is left is kept, and said.
const PRUNE: Duration = Duration::from_secs(60);
/// Builds images. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ImageService {
    engine: Arc<dyn Engine>,
    catalog: Catalog,
    workdir: PathBuf,
    wheels: PathBuf,
    world: Arc<OnceLock<WorldHandle>>,
    building: Arc<Mutex<()>>,
}

impl ImageService {
    /// A service for these variants that works in one folder and keeps fetched wheels in another.
    pub(crate) fn new(
        engine: Arc<dyn Engine>,
        catalog: Catalog,
        workdir: PathBuf,
        wheels: PathBuf,
    ) -> Self {
        Self {
            engine,
            catalog,
            workdir,
            wheels,
            world: Arc::default(),
            building: Arc::default(),
        }
    }

    /// Where to say that there is a new image.
    pub(crate) fn attach(&self, world: WorldHandle) {
        // Attached once, by boot.
        let _ = self.world.set(world);
    }

    /// Computes what images this daemon wants.
    pub(crate) fn wanted_source(
        &self,
    ) -> impl Fn() -> Result<Vec<Wanted>, String> + Send + Sync + 'static {
        self.catalog.wanted_source()
    }

    /// Resolves these packages, keeps their pins as a variant of the user's own, and builds it. When the
    /// events are dropped, it is given up.
    pub(crate) fn add(
        &self,
        variant: &str,
        packages: Vec<String>,
    ) -> Result<mpsc::Receiver<ImageEvent>, ErrorObjectOwned> {
        let invalid =
            |why: String| Code::InvalidRequest.error(why, "see `saferunctl image add --help`");
        check_name(variant).map_err(invalid)?;
        if packages.is_empty() || packages.len() > MAX_PACKAGES {
            return Err(invalid(format!("name 1 to {MAX_PACKAGES} packages")));
        }
        if let Some(odd) = packages.iter().find(|name| !is_requirement(name)) {
            return Err(invalid(format!(
                "{odd:?} is no package: write NAME, NAME[EXTRA] or NAME==VERSION"
            )));
        }
        self.start(Job {
            variant: variant.to_owned(),
            packages,
            force: false,
        })
    }

    /// Starts a build and returns its events. When they are dropped, the build is given up.
    pub(crate) fn build(
        &self,
        variant: &str,
        force: bool,
    ) -> Result<mpsc::Receiver<ImageEvent>, ErrorObjectOwned> {
        if self.catalog.find(variant).is_none() {
            let variants = self.catalog.variants();
            let names: Vec<&str> = variants.iter().map(Variant::name).collect();
            return Err(Code::InvalidRequest.error(
                format!("there is no image variant called `{variant}`"),
                format!("the variants are: {}", names.join(", ")),
            ));
        }
        self.start(Job {
            variant: variant.to_owned(),
            packages: Vec::new(),
            force,
        })
    }

    /// Removes the images of known variants that a newer one has replaced or that are out of date, one after the other; with `dry_run` only says which.
    ///
    /// # Errors
    /// The engine does not answer.
    pub(crate) async fn prune(&self, dry_run: bool) -> Result<ImagePrune, ErrorObjectOwned> {
        let (world, _turn) = self.turn()?;
        world.refresh().await;
        let now = world.current();
        if let Some(problem) = now.problem.clone() {
            return Err(
                Code::EngineUnavailable.error(problem, "`saferunctl doctor` tells what is missing")
            );
        }
        let mut report = ImagePrune::default();
        let mut in_use = BTreeSet::new();
        let end = Instant::now() + PRUNE;
        for image in now.image_infos() {
            // The newest that is current is the one that runs go into. A variant that is not known here may be
            // another user's.
            let stays = image.current && in_use.insert(image.variant.clone());
            let known = self.catalog.find(&image.variant).is_some();
            let Some(id) = image.id.clone().filter(|_| known && !stays) else {
                continue;
            };
            if dry_run {
                report.removed.push(image);
                continue;
            }
            // A call that begins too late might reach the engine, and what is said of the image would not be true.
            let removed = if Instant::now() < end {
                let removal = timeout_at(end, self.engine.remove_image(&id));
                removal.await.ok()
            } else {
                None
            };
            let reason = match removed {
                Some(Ok(())) => {
                    report.removed.push(image);
                    continue;
                }
                Some(Err(error)) => error.to_string(),
                None => format!(
                    "the engine had not removed it after {} s; ask again",
                    PRUNE.as_secs()
                ),
            };
            report.kept.push(KeptImage { image, reason });
        }
        world.refresh().await;
        Ok(report)
    }

    /// The engine's state, and the right to change its images until it is dropped.
    fn turn(&self) -> Result<(WorldHandle, OwnedMutexGuard<()>), ErrorObjectOwned> {
        let world = self.world.get().cloned().ok_or_else(|| {
            Code::Internal.error("the daemon is not up yet", "try again in a moment")
        })?;
        let turn = Arc::clone(&self.building).try_lock_owned().map_err(|_| {
            Code::Busy.error("an image is being built already", "wait until it is done")
        })?;
        Ok((world, turn))
    }

    fn start(&self, job: Job) -> Result<mpsc::Receiver<ImageEvent>, ErrorObjectOwned> {
        let (world, turn) = self.turn()?;
        let (events, inbox) = mpsc::channel(256);
        let service = self.clone();
        tokio::spawn(async move {
            let _turn = turn;
            let last = match service.build_now(&world, &job, &events).await {
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
        job: &Job,
        events: &mpsc::Sender<ImageEvent>,
    ) -> Result<ImageEvent, String> {
        world.refresh().await;
        let now = world.current();
        if now.capabilities.is_none() {
            let problem = now.problem.clone();
            let why = problem.unwrap_or_else(|| "the container engine does not answer".to_owned());
            return Err(format!("{why}; `saferunctl doctor` tells what is missing"));
        }
        if !job.packages.is_empty() {
            self.pin(job, events).await?;
            world.refresh().await;
        }
        let images = world.current().image_infos();
        let current = images
            .into_iter()
            .find(|image| image.current && image.variant == job.variant);
        if let Some(image) = current.filter(|_| !job.force) {
            return Ok(ImageEvent::Built {
                image,
                unchanged: true,
            });
        }
        let variant = self.catalog.find(&job.variant);
        let variant = variant.ok_or_else(|| format!("there is no image {}", job.variant))?;
        let inputs = self
            .catalog
            .inputs(variant)?
            .with_wheel_cache(self.wheels.clone());
        let config = ImageConfig::new(&inputs, &jiff::Timestamp::now().to_string());
        let tar = self.unpack(inputs, events.clone()).await?;
        step(events, 4, "Handing the image to the container engine").await;
        let tag = format!("saferun/{}:latest", job.variant);
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
        let workdir = self.fresh_workdir()?;
        on_a_thread(events, move |tell, cancel| {
            build_rootfs(&inputs, &workdir, tell, cancel).map_err(|error| error.to_string())
        })
        .await
    }

    /// Finds out which wheels the packages need, and keeps their pins.
    async fn pin(&self, job: &Job, events: &mpsc::Sender<ImageEvent>) -> Result<(), String> {
        step(events, 1, "Finding out which packages that needs").await;
        let (workdir, packages) = (self.fresh_workdir()?, job.packages.clone());
        let lock = on_a_thread(events.clone(), move |tell, cancel| {
            let mut say = |line| tell(Progress::Line(line));
            resolve(&packages, &workdir, &mut say, cancel).map_err(|error| error.to_string())
        })
        .await?;
        Variant::own(&job.variant, &lock)?;
        self.catalog.keep(&job.variant, &lock)
    }

    fn fresh_workdir(&self) -> Result<PathBuf, String> {
        let workdir = self.workdir.clone();
        // What a build that was killed has left is of no use.
        let _ = fs::remove_dir_all(&workdir);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&workdir)
            .map_err(|error| format!("cannot make {}: {error}", workdir.display()))?;
        Ok(workdir)
    }
}

/// What is to be built.
struct Job {
    variant: String,
    /// To be resolved first; empty for a variant that there is.
    packages: Vec<String>,
    force: bool,
}

/// `name`, `name[extra]`, each with `==version` or another comparison: nothing that pip would take for
/// an option, an address or a path.
fn is_requirement(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.[],<>=!~*+".contains(c);
    text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(plain)
        && Path::new(text)
            .extension()
            .is_none_or(|ending| ending != "whl")
}

/// Does long work on a thread of its own; it ends early when nobody listens any more.
async fn on_a_thread<T: Send + 'static>(
    events: mpsc::Sender<ImageEvent>,
    work: impl FnOnce(&mut dyn FnMut(Progress), &AtomicBool) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let cancel = Arc::new(AtomicBool::new(false));
    let watcher = {
        let (cancel, events) = (Arc::clone(&cancel), events.clone());
        tokio::spawn(async move {
            events.closed().await;
            cancel.store(true, Ordering::Relaxed);
        })
    };
    // Dropped before that, at the daemon's end, it gives the work up as well.
    let _given_up = SetWhenDropped(Arc::clone(&cancel));
    let done = tokio::task::spawn_blocking(move || {
        let mut tell = |progress| {
            if let Some(event) = progress_event(progress) {
                // A reader that is gone sets the flag; a slow one slows the build, which is fine.
                let _ = events.blocking_send(event);
            }
        };
        work(&mut tell, &cancel)
    })
    .await
    .map_err(|error| format!("the build broke off: {error}"))?;
    watcher.abort();
    done
}

struct SetWhenDropped(Arc<AtomicBool>);

impl Drop for SetWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
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
            let plain = line.chars().filter(|c| !saferun_text::deceives(*c));
            let line = plain.take(500).collect();
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

#[cfg(test)]
mod tests {
    use std::{sync::mpsc::channel, time::Duration};

    use super::*;

    #[tokio::test]
    async fn work_that_its_asker_leaves_is_told_to_end() {
        let (events, listens) = mpsc::channel(1);
        let (begun, wait) = (channel::<()>(), channel::<bool>());
        let work = on_a_thread(events, move |_, cancel| {
            let _ = begun.0.send(());
            while !cancel.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            let _ = wait.0.send(true);
            Ok(())
        });
        let work = tokio::spawn(work);
        tokio::task::spawn_blocking(move || begun.1.recv())
            .await
            .unwrap()
            .unwrap();
        work.abort();
        let told =
            tokio::task::spawn_blocking(move || wait.1.recv_timeout(Duration::from_secs(20)));
        assert_eq!(told.await.unwrap(), Ok(true));
        drop(listens);
    }

    #[test]
    fn a_builds_words_act_on_no_terminal() {
        let event = progress_event(Progress::Line("a\u{1b}[31m\u{202e}b\u{200b}\n".to_owned()));
        let Some(ImageEvent::Log { line }) = event else {
            panic!("{event:?}");
        };
        assert_eq!(line, "a[31mb");
    }
}
