//! Reads the standing layers and publishes what they come to. One task owns the state: a sound change swaps at once,
//! an unsound one leaves the policy as it was and says so.

use std::{sync::Arc, time::Duration};

use saferun_policy::{LayerKind, Source, load};
use saferun_policy_files::Places;
use tokio::sync::watch;

use super::{snapshot::Snapshot, watcher::Watcher};

/// Editors write a file in several steps: the reading waits until they are through.
const SETTLE: Duration = Duration::from_millis(100);
/// Where changes cannot be watched, the files are read again after this time.
const POLL: Duration = Duration::from_secs(10);

/// Everything that the standing layers come from.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Where the files are.
    pub(crate) places: Places,
    /// Settings of the daemon's own environment.
    pub(crate) variables: Vec<Source>,
}

/// Reads snapshots and hears of changes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PolicyHandle {
    snapshot: watch::Receiver<Arc<Snapshot>>,
}

impl PolicyHandle {
    /// Reads the files a first time, and starts the task that follows them.
    pub(crate) fn start(standing: Standing) -> Self {
        let first = Arc::new(next(None, read(&standing)).0);
        tell(&first);
        let (publish, snapshot) = watch::channel(first);
        tokio::spawn(serve(standing, publish));
        Self { snapshot }
    }

    /// The policy that holds now.
    pub(crate) fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// Changes of it.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.clone()
    }
}

/// What one reading found.
struct Reading {
    sources: Vec<Source>,
    /// Files that are there but may not be used.
    unusable: Vec<String>,
}

fn read(standing: &Standing) -> Reading {
    let uid = nix::unistd::geteuid().as_raw();
    let mut reading = Reading {
        sources: Vec::new(),
        unusable: Vec::new(),
    };
    let system = (LayerKind::System, Some(&standing.places.system));
    let user = (LayerKind::User, standing.places.user.as_ref());
    for (layer, path) in [system, user] {
        let Some(path) = path else { continue };
        match saferun_policy_files::read(layer, path, uid) {
            Ok(found) => reading.sources.extend(found),
            Err(error) => reading.unusable.push(error.to_string()),
        }
    }
    reading.sources.extend(standing.variables.iter().cloned());
    reading
}

/// The state after a reading, and whether it differs from the one before.
fn next(before: Option<&Snapshot>, reading: Reading) -> (Snapshot, bool) {
    let generation = before.map_or(1, |before| before.generation + 1);
    let mut problems = reading.unusable;
    if problems.is_empty() {
        match load(&reading.sources) {
            Ok(loaded) => {
                let warnings: Vec<String> =
                    loaded.warnings.iter().map(ToString::to_string).collect();
                let same = before.is_some_and(|before| {
                    before.blocked.is_none()
                        && before.problems.is_empty()
                        && before.layers().eq(reading.sources.iter())
                });
                for warning in warnings {
                    tracing::warn!("policy: {warning}");
                }
                let fresh = Snapshot::new(reading.sources, loaded, Vec::new(), generation);
                return (fresh, !same);
            }
            Err(diagnostics) => {
                let errors = diagnostics.0.iter().filter(|found| found.is_error());
                problems.extend(errors.map(ToString::to_string));
            }
        }
    }
    if let Some(before) = before {
        let differs = before.problems != problems;
        return (before.with_problems(problems), differs);
    }
    let why = problems.first().cloned().unwrap_or_default();
    (Snapshot::blocked(why, problems, generation), true)
}

fn tell(snapshot: &Snapshot) {
    for problem in &snapshot.problems {
        if snapshot.blocked.is_some() {
            tracing::error!("no policy holds, nothing runs until this is mended: {problem}");
        } else {
            tracing::error!("the policy stays as it was: {problem}");
        }
    }
    let policy = snapshot.policy();
    tracing::info!(
        policy = policy.name,
        hash = policy.hash(),
        generation = snapshot.generation,
        "policy"
    );
}

async fn serve(standing: Standing, publish: watch::Sender<Arc<Snapshot>>) {
    let files = [
        Some(standing.places.system.clone()),
        standing.places.user.clone(),
    ];
    let mut watcher = Watcher::new(files.into_iter().flatten().collect());
    loop {
        // First of all once more: what changed between the first reading and the watch would be missed.
        watcher.arm();
        let again = standing.clone();
        let before = Arc::clone(&publish.borrow());
        let read = tokio::task::spawn_blocking(move || next(Some(&before), read(&again)));
        if let Ok((fresh, true)) = read.await {
            tell(&fresh);
            publish.send_replace(Arc::new(fresh));
        }
        tokio::select! {
            changed = watcher.changed() => tokio::time::sleep(if changed { SETTLE } else { POLL }).await,
            () = publish.closed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    use super::*;

    fn standing(folder: &Path) -> Standing {
        let places = Places {
            system: folder.join("etc/policy.yaml"),
            user: Some(folder.join("home/.config/saferun/policy.yaml")),
        };
        Standing {
            places,
            variables: Vec::new(),
        }
    }

    fn private() -> tempfile::TempDir {
        let mode = fs::Permissions::from_mode(0o700);
        tempfile::Builder::new()
            .permissions(mode)
            .tempdir()
            .unwrap()
    }

    fn write(path: &Path, text: &str) {
        let folder = path.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        // As editors save: a new file in the place of the old one.
        let new = folder.join(".new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(new, path).unwrap();
    }

    async fn until(handle: &PolicyHandle, what: impl Fn(&Snapshot) -> bool) {
        let mut changes = handle.watch();
        let waited = changes.wait_for(|snapshot| what(snapshot));
        let found = tokio::time::timeout(Duration::from_secs(20), waited).await;
        assert!(found.is_ok(), "{:?}", handle.current().problems);
    }

    #[tokio::test]
    async fn a_sound_change_swaps_and_an_unsound_one_changes_nothing() {
        let folder = private();
        let standing = standing(folder.path());
        let path = standing.places.user.clone().unwrap();
        let handle = PolicyHandle::start(standing);
        assert_eq!(handle.current().policy().name, "default");
        // The folder is not there yet: its coming is seen, too.
        write(&path, "version: 1\npreset: strict\n");
        until(&handle, |snapshot| snapshot.policy().name == "strict").await;
        write(&path, "version: 1\nlimits: {time: soon}\n");
        until(&handle, |snapshot| !snapshot.problems.is_empty()).await;
        let now = handle.current();
        assert_eq!(now.policy().name, "strict");
        assert!(now.blocked.is_none());
        assert!(
            now.problems[0].contains("policy.yaml"),
            "{:?}",
            now.problems
        );
        write(&path, "version: 1\nlimits: {time: 7s}\n");
        until(&handle, |snapshot| snapshot.problems.is_empty()).await;
        assert_eq!(handle.current().policy().name, "default");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        until(&handle, |snapshot| snapshot.layers().count() == 0).await;
        write(&path, "version: 1\npreset: agent\n");
        until(&handle, |snapshot| snapshot.policy().name == "agent").await;
    }

    #[tokio::test]
    async fn a_file_in_place_is_seen_when_it_is_written_and_when_its_mode_changes() {
        let folder = private();
        let standing = standing(folder.path());
        let path = standing.places.user.clone().unwrap();
        write(&path, "version: 1\npreset: agent\n");
        let handle = PolicyHandle::start(standing);
        fs::write(&path, "version: 1\npreset: strict\n").unwrap();
        until(&handle, |snapshot| snapshot.policy().name == "strict").await;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        until(&handle, |snapshot| !snapshot.problems.is_empty()).await;
        assert_eq!(handle.current().policy().name, "strict");
    }

    #[test]
    fn nothing_runs_before_there_was_a_sound_policy() {
        let folder = private();
        let standing = standing(folder.path());
        write(
            standing.places.user.as_ref().unwrap(),
            "version: 1\nlimit: {}\n",
        );
        let (first, _) = next(None, read(&standing));
        assert!(
            first.blocked.as_ref().unwrap().contains("limits"),
            "{first:?}"
        );
        assert_eq!(
            first.policy().name,
            "strict",
            "whoever needs a policy gets a strict one"
        );
        let (mended, differs) = next(
            Some(&first),
            Reading {
                sources: Vec::new(),
                unusable: Vec::new(),
            },
        );
        assert!(differs && mended.blocked.is_none());
    }

    #[test]
    fn layers_of_a_request_are_put_on_top_and_leave_the_snapshot_alone() {
        let reading = Reading {
            sources: Vec::new(),
            unusable: Vec::new(),
        };
        let (snapshot, _) = next(None, reading);
        let project = Source::yaml(LayerKind::Project, "p", "version: 1\nlimits: {time: 1s}\n");
        let tight = snapshot.with(std::slice::from_ref(&project)).unwrap();
        assert_eq!(tight.policy.limits.time.max, Duration::from_secs(1));
        assert_eq!(snapshot.policy().limits.time.max, Duration::from_secs(600));
        assert!(
            Arc::ptr_eq(&tight, &snapshot.with(&[project]).unwrap()),
            "kept for the next run"
        );
        assert!(
            snapshot
                .with(&[Source::flag("--set", "limits.time", "soon")])
                .is_err()
        );
    }
}
