//! Says that a policy file may have changed. Watches the folders, because a file that is saved by a rename is another
//! file, and the nearest folder that exists where a folder does not. Reads nothing.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// Watches some files.
pub(super) struct Watcher {
    files: Arc<Vec<PathBuf>>,
    rung: Arc<Notify>,
    inner: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
}

impl Watcher {
    /// A watch over these files, whether they exist or not.
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        let files = Arc::new(files);
        let rung = Arc::new(Notify::new());
        let (bell, wanted) = (Arc::clone(&rung), Arc::clone(&files));
        let inner = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let matters = match event {
                Ok(event) => {
                    !matches!(event.kind, EventKind::Access(_)) && speaks_of(&event, &wanted)
                }
                Err(_) => true,
            };
            if matters {
                bell.notify_one();
            }
        });
        if let Err(error) = &inner {
            tracing::warn!(%error, "policy files cannot be watched; they are read every few seconds");
        }
        let mut watcher = Self {
            files,
            rung,
            inner: inner.ok(),
            watched: BTreeSet::new(),
        };
        watcher.arm();
        watcher
    }

    /// Waits for a change; false if none can be heard of, at once.
    pub(super) async fn changed(&self) -> bool {
        if self.inner.is_none() {
            return false;
        }
        self.rung.notified().await;
        true
    }

    /// Watches the folders that matter now: folders come and go.
    pub(super) fn arm(&mut self) {
        let Some(inner) = &mut self.inner else { return };
        let wanted: BTreeSet<PathBuf> = self.files.iter().flat_map(|file| folders(file)).collect();
        for gone in self.watched.difference(&wanted) {
            let _ = inner.unwatch(gone);
        }
        // A folder that was removed and made again has lost its watch: watching twice is harmless.
        for folder in &wanted {
            if let Err(error) = inner.watch(folder, RecursiveMode::NonRecursive) {
                tracing::warn!(folder = %folder.display(), %error, "a folder of policy files cannot be watched");
            }
        }
        self.watched = wanted;
    }
}

/// A file's folder, if it exists, and the nearest one above that does: there its coming and going is seen.
fn folders(file: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (depth, folder) in file.ancestors().skip(1).enumerate() {
        if folder.is_dir() {
            found.push(folder.to_owned());
            if depth > 0 {
                break;
            }
        }
    }
    found
}

/// An event without paths speaks of everything: the kernel's queue ran over.
fn speaks_of(event: &Event, files: &[PathBuf]) -> bool {
    event.need_rescan()
        || event.paths.is_empty()
        || event
            .paths
            .iter()
            .any(|path| files.iter().any(|file| file.starts_with(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_the_way_to_a_file_matters() {
        let files = [PathBuf::from("/home/me/.config/saferun/policy.yaml")];
        let event = |path: &str| Event::new(EventKind::Any).add_path(path.into());
        assert!(speaks_of(
            &event("/home/me/.config/saferun/policy.yaml"),
            &files
        ));
        assert!(speaks_of(&event("/home/me/.config/saferun"), &files));
        assert!(!speaks_of(
            &event("/home/me/.config/saferun/policy.yaml.swp"),
            &files
        ));
        assert!(!speaks_of(&event("/home/me/.config/other"), &files));
        assert!(speaks_of(&Event::new(EventKind::Other), &files));
    }

    #[test]
    fn a_folder_that_is_missing_is_waited_for_in_the_one_above() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("a/b/policy.yaml");
        assert_eq!(folders(&file), [top.path()]);
        std::fs::create_dir_all(top.path().join("a/b")).unwrap();
        assert_eq!(
            folders(&file),
            [top.path().join("a/b"), top.path().join("a")]
        );
    }
}
