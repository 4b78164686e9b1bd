//! Boot and shutdown, read like a contents page.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use jsonrpsee::server::stop_channel;
use nix::sys::stat::{Mode, umask};
use saferun_image::SANDBOX_UID_COUNT;
use saferun_protocol::ApiServer;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use crate::{
    admission::Rates,
    audit::Audit,
    engine::{Engine, docker::DockerEngine},
    heavy::Turns,
    image::{Catalog, ImageService, VARIANT},
    journal::Journal,
    policy::{PolicyHandle, Standing},
    pool::{Bounds, Key, Launcher, PoolHandle, PoolSettings},
    rpc,
    runs::{RunService, default_template},
    settings::Settings,
    state_dir::StateDir,
    watch::{Means, WatchService},
    world::WorldHandle,
};

/// Threads for what may take long. More than can hang over files (`watch::patience`: 8) or compute (`heavy`: three times 16) at a
/// time, so that there are always some for all else: policies, the engine's files, images.
const BLOCKING: usize = 64;
/// What the engine gets to answer before anybody can ask what it said; one that hangs keeps nobody from asking for longer.
const FIRST_LOOK: Duration = Duration::from_millis(500);
/// What is waited for at the very end.
const LAST_THREADS: Duration = Duration::from_secs(2);
/// What the record's thread gets to tell the system journal of the last link, when all runs have ended.
const LAST_LINK: Duration = Duration::from_secs(1);
/// What the last answers get to reach those who wait for them.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// Whatever keeps it from listening, with what to do about it.
pub fn boot(settings: Settings) -> anyhow::Result<()> {
    // Before any thread: everything that this process makes is its user's alone.
    umask(Mode::from_bits_truncate(0o077));
    to_the_end(run(settings), LAST_THREADS)
}

/// Drives it to its end. Threads that hang then, over a file system that does not answer, are left behind after `patience`:
/// all that must be kept is on the disk by then.
fn to_the_end<T>(
    work: impl Future<Output = anyhow::Result<T>>,
    patience: Duration,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(BLOCKING)
        .enable_all()
        .build()
        .context("the asynchronous runtime could not be started")?;
    let end = runtime.block_on(work);
    runtime.shutdown_timeout(patience);
    end
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let state = StateDir::open(&settings.state_dir).await?;
    let journal = Journal::open(&state.file("journal.sqlite"))?;
    let engine: Arc<dyn Engine> = Arc::new(DockerEngine::connect(
        &settings.engine,
        state.file("seccomp.json"),
    ));
    let images = ImageService::new(
        Arc::clone(&engine),
        Catalog::new(settings.supervisor.clone(), state.file("images")),
        state.file("build"),
        state.file("wheels"),
    );
    let world = WorldHandle::start(Arc::clone(&engine), journal.clone(), images.wanted_source());
    images.attach(world.clone());
    let rates =
        Rates::open(&state.file("rates.sqlite")).context("the rate counters cannot be used")?;
    let policies = PolicyHandle::start(Standing {
        places: settings.places.clone(),
        variables: settings.variables.clone(),
    });
    let pool = start_pool(&settings, &world, &policies, engine, &journal);
    let audit = Audit::open(state.file("audit.sqlite"), settings.system_journal.clone())
        .context("the record's thread cannot be started")?;
    keep_to_retention(audit.clone(), policies.clone());
    catch_up(audit.clone());
    let runs = RunService::new(
        pool.clone(),
        world.clone(),
        policies.clone(),
        rates,
        audit.clone(),
    );
    let shutdown = CancellationToken::new();
    let watches = WatchService::new(Means {
        policies: policies.clone(),
        audit: audit.clone(),
        runs: runs.clone(),
    });
    let record = audit.clone();
    world.first_look(FIRST_LOOK).await;
    let methods = rpc::Methods {
        watches,
        runs: runs.clone(),
        images,
        pool: pool.clone(),
        world,
        journal,
        policies,
        audit,
        readers: Turns::default(),
        verifier: Turns::one(),
        began: Instant::now(),
        shutdown: shutdown.clone(),
    };

    let (listener, ours) = rpc::listener(&settings.socket)?;
    let (stop, stopper) = stop_channel();
    let full = CancellationToken::new();
    let methods = methods.into_rpc().into();
    let server = tokio::spawn(rpc::serve(listener, methods, stop, full.clone()));
    tracing::info!(socket = %settings.socket.display(), engine = settings.engine, "ready");
    rpc::ready();

    wait_for_the_end(&shutdown).await?;
    tracing::info!("draining");
    rpc::stopping();
    // Whoever comes from now on finds nobody here and starts the next daemon, which waits for the state folder.
    state.drains();
    if ours {
        let _ = std::fs::remove_file(&settings.socket);
    }
    full.cancel();
    runs.close();
    if !pool.drain(settings.drain).await {
        tracing::warn!("some containers are still there; the next start removes them");
    }
    // The system journal gets the last link of all; a record that does not answer any more keeps nobody here.
    within(LAST_LINK, record.head()).await;
    let _ = stopper.stop();
    within(LAST_ANSWERS, server).await;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for this, but no longer, and says whether it came. What comes of it, nobody needs to know.
async fn within<T>(patience: Duration, last: impl Future<Output = T>) -> bool {
    tokio::time::timeout(patience, last).await.is_ok()
}

/// Has old records dropped, by the policy that stands on this machine, now and every ten minutes.
fn keep_to_retention(audit: Audit, policies: PolicyHandle) {
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval(Duration::from_secs(600));
        loop {
            rounds.tick().await;
            let retention = policies.current().policy().retention;
            audit.retain(retention.age, retention.size.get());
        }
    });
}

/// Has ends that could not be recorded written as soon as they can be, also where no run comes that would do it.
fn catch_up(audit: Audit) {
    tokio::spawn(async move {
        loop {
            audit.end_waits().await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            audit.catch_up();
        }
    });
}

/// Starts the pool, and a task that follows the engine, the image and the policy with it.
fn start_pool(
    settings: &Settings,
    world: &WorldHandle,
    policies: &PolicyHandle,
    engine: Arc<dyn Engine>,
    journal: &Journal,
) -> PoolHandle {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let bounds = Bounds {
        max_live: settings.max_containers,
        // Measured: the engine's throughput peaks at twice the cores.
        max_starting: (2 * cores).min(settings.max_containers),
        max_leased: settings.max_containers.div_ceil(2).max(1),
        max_waiting: 256,
        idle_after: Duration::from_secs(600),
    };
    let (publish, launcher) = watch::channel(None);
    let pool = PoolHandle::start(
        PoolSettings {
            bounds,
            uids: SANDBOX_UID_COUNT,
        },
        launcher,
    );
    let follower = pool.clone();
    let (target, journal) = (settings.pool_size, journal.clone());
    let mut changes = world.watch();
    let mut policies = policies.watch();
    tokio::spawn(async move {
        let (mut images, mut last) = (Vec::new(), None);
        let mut pinned: Option<Key> = None;
        loop {
            let world = Arc::clone(&changes.borrow_and_update());
            if let Some(capabilities) = world.capabilities.clone() {
                publish.send_replace(Some(Launcher {
                    engine: Arc::clone(&engine),
                    journal: journal.clone(),
                    capabilities,
                }));
            }
            let all = world.current_images();
            if !all.is_empty() && all != images {
                images.clone_from(&all);
                follower
                    .retire_others(move |key: &Key| all.contains(&key.0.image))
                    .await;
            }
            last = world.image(VARIANT).ok().or(last);
            if let Some(id) = last.clone() {
                let policy = Arc::clone(&policies.borrow_and_update());
                let unheld = world.capabilities.as_ref().map(|engine| engine.unheld());
                let unheld = unheld.unwrap_or_default();
                let wanted = default_template(policy.policy(), id, unheld).map(Key);
                if wanted != pinned {
                    // The old class goes first, so that the new one has room; runs that wait for it get theirs.
                    if let Some(old) = std::mem::replace(&mut pinned, wanted) {
                        follower.pin(old, 0).await;
                    }
                    if let Some(key) = pinned.clone() {
                        follower.pin(key, target).await;
                    }
                }
            }
            let heard = tokio::select! {
                heard = changes.changed() => heard,
                heard = policies.changed() => heard,
            };
            if heard.is_err() {
                return;
            }
        }
    });
    pool
}

async fn wait_for_the_end(shutdown: &CancellationToken) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
    let mut int = signal(SignalKind::interrupt()).context("SIGINT cannot be caught")?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        () = shutdown.cancelled() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::{settings::DRAIN, state_dir::HAND_OVER};

    #[tokio::test]
    async fn the_end_waits_for_nothing_that_does_not_come() {
        assert!(within(LAST_THREADS, std::future::ready(())).await);
        let never = std::future::pending::<()>();
        assert!(!within(Duration::from_millis(5), never).await);
    }

    /// The next daemon gives up no sooner than this one has gone.
    #[test]
    fn the_end_takes_no_longer_than_the_next_daemon_waits() {
        assert!(DRAIN + LAST_LINK + LAST_ANSWERS + LAST_THREADS <= HAND_OVER);
    }

    #[test]
    fn files_that_hang_starve_nobody_and_hold_up_no_end() {
        let (release, hang) = mpsc::channel::<()>();
        let hang = Arc::new(std::sync::Mutex::new(hang));
        let work = async move {
            for _ in 0..40 {
                let hang = Arc::clone(&hang);
                // The first one waits for the channel, the others for the first one.
                tokio::task::spawn_blocking(move || {
                    hang.lock().is_ok_and(|hang| hang.recv().is_ok())
                });
            }
            let other = tokio::task::spawn_blocking(|| 7);
            Ok(tokio::time::timeout(Duration::from_secs(20), other).await??)
        };
        assert_eq!(to_the_end(work, Duration::from_millis(10)).unwrap(), 7);
        // They hung to the end.
        drop(release);
    }
}
