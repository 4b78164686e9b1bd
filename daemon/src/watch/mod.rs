//! The watch: folders of the host, scanned as files land in them, for any number of subscribers. This
//! file owns the list of roots; each root has a thread of its own (`root`). Writes to no file of a user's.

mod beneath;
mod board;
mod inbox;
mod known;
mod mounts;
mod pending;
mod provenance;
mod root;
mod rules;
mod scan;
mod subscribe;
mod survey;
mod watcher;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use jsonrpsee::types::ErrorObjectOwned;
use saferun_policy::Policy;
use saferun_protocol::{Code, HostPath, MAX_ANNOUNCED, MAX_WATCH_ROOTS, WatchRequest, WatchRoot};

use self::{
    inbox::Touch,
    provenance::Provenance,
    root::{Context, Root, Shared},
    scan::FileScanner,
};
pub(crate) use subscribe::Subscription;

/// Most roots at a time, of all subscribers together: each has an inotify instance, of which the
/// kernel gives a user 128 by default.
const MAX_ROOTS: usize = 32;
/// Longest name of a tool.
const MAX_TOOL: usize = 100;

/// The watch of this daemon. Cheap to clone.
#[derive(Clone)]
pub(crate) struct WatchService {
    inner: Arc<Inner>,
}

struct Inner {
    roots: Mutex<BTreeMap<PathBuf, Entry>>,
    context: Arc<Context>,
    only_generated: bool,
}

struct Entry {
    shared: Arc<Shared>,
    users: usize,
}

/// A use of a root: while it lives, the root is watched.
pub(crate) struct Lease {
    inner: Arc<Inner>,
    shared: Arc<Shared>,
}

impl WatchService {
    /// A watch by the rules of a policy; takes up the policy's own roots.
    pub(crate) fn new(policy: &Policy) -> Self {
        let rules = &policy.watch;
        let options = saferun_scanner::Options {
            honour_suppressions: policy.honour_suppressions,
            ..saferun_scanner::Options::default()
        };
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let context = Context {
            scanner: FileScanner::new(cores, options, rules.generated_markers.clone()),
            provenance: Provenance::new(&rules.generated_paths),
            ignore: rules.ignore.clone(),
        };
        let service = Self {
            inner: Arc::new(Inner {
                roots: Mutex::default(),
                context: Arc::new(context),
                only_generated: rules.only_generated,
            }),
        };
        for root in &rules.roots {
            match canonical(Path::new(root)).and_then(|path| service.lease(&path)) {
                // As long as the daemon lives.
                Ok(lease) => std::mem::forget(lease),
                Err(error) => tracing::warn!(root, "watch.roots: {}", error.message()),
            }
        }
        mounts::follow(&service);
        service
    }

    /// Begins to watch what a request names.
    pub(crate) fn subscribe(
        &self,
        request: &WatchRequest,
    ) -> Result<Subscription, ErrorObjectOwned> {
        if request.roots.is_empty() || request.roots.len() > MAX_WATCH_ROOTS {
            return Err(Code::InvalidRequest.error(
                format!("{} folders are named", request.roots.len()),
                format!("name 1 to {MAX_WATCH_ROOTS}"),
            ));
        }
        let mut paths = BTreeSet::new();
        for root in &request.roots {
            let path = root.to_path().ok_or_else(|| {
                Code::InvalidRequest.error(
                    "a folder's name has a NUL or broken base64",
                    "name it again",
                )
            })?;
            paths.insert(canonical(&path)?);
        }
        let all = paths.clone();
        paths.retain(|path| !path.ancestors().skip(1).any(|above| all.contains(above)));
        let leases: Result<Vec<Lease>, ErrorObjectOwned> =
            paths.iter().map(|path| self.lease(path)).collect();
        let only = request.only_generated || self.inner.only_generated;
        Ok(Subscription::new(leases?, only, request.least))
    }

    /// The roots there are.
    pub(crate) fn list(&self) -> Vec<WatchRoot> {
        let roots = self.inner.roots();
        roots.values().map(|entry| entry.shared.status()).collect()
    }

    /// A tool says that it wrote these files.
    pub(crate) fn announce(&self, files: &[HostPath], tool: &str) -> Result<(), ErrorObjectOwned> {
        let sound = !tool.is_empty() && tool.len() <= MAX_TOOL && !tool.contains(char::is_control);
        if files.len() > MAX_ANNOUNCED || !sound {
            return Err(Code::InvalidRequest.error(
                "too many files, or a tool's name that is none",
                format!(
                    "announce at most {MAX_ANNOUNCED} files, by a name of 1 to {MAX_TOOL} bytes"
                ),
            ));
        }
        for file in files {
            let path = file
                .to_path()
                .filter(|path| path.is_absolute())
                .ok_or_else(|| {
                    Code::InvalidRequest.error(
                        format!("{} is no absolute path", file.path),
                        "name files by absolute paths",
                    )
                })?;
            // The folder's canonical name, but the file's own: it may be announced before it is there.
            let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
            let path = match (folder, path.file_name()) {
                (Some(folder), Some(name)) => folder.join(name),
                _ => path,
            };
            self.inner.context.provenance.announce(&path, tool);
            for entry in self.inner.roots().values() {
                if path.starts_with(&entry.shared.path) {
                    let touch = Touch {
                        again: true,
                        ..Touch::default()
                    };
                    entry.shared.inbox.touch(path.clone(), touch);
                }
            }
        }
        Ok(())
    }

    /// The mounts of this machine changed.
    fn mounts_changed(&self) {
        for entry in self.inner.roots().values() {
            entry.shared.inbox.mounts_changed();
        }
    }

    fn lease(&self, path: &Path) -> Result<Lease, ErrorObjectOwned> {
        let mut roots = self.inner.roots();
        if !roots.contains_key(path) {
            if roots.len() >= MAX_ROOTS {
                return Err(Code::Busy.error(
                    format!("{MAX_ROOTS} folders are watched already"),
                    "end another watch first: the method saferun.watchList shows them",
                ));
            }
            let shared = Shared::new(path.to_owned());
            let started = Root::start(Arc::clone(&shared), Arc::clone(&self.inner.context));
            started.map_err(|error| refused(path, &error))?;
            roots.insert(path.to_owned(), Entry { shared, users: 0 });
        }
        let entry = roots
            .get_mut(path)
            .ok_or_else(|| refused(path, &io::Error::other("lost")))?;
        entry.users += 1;
        entry.shared.subscribers.fetch_add(1, Ordering::Relaxed);
        Ok(Lease {
            inner: Arc::clone(&self.inner),
            shared: Arc::clone(&entry.shared),
        })
    }
}

impl Inner {
    fn roots(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, Entry>> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut roots = self.inner.roots();
        let Some(entry) = roots.get_mut(&self.shared.path) else {
            return;
        };
        entry.users -= 1;
        entry.shared.subscribers.fetch_sub(1, Ordering::Relaxed);
        if entry.users == 0 {
            entry.shared.inbox.close();
            roots.remove(&self.shared.path);
        }
    }
}

/// The path of a folder without links in it. The caller's own links are followed here, once.
fn canonical(path: &Path) -> Result<PathBuf, ErrorObjectOwned> {
    if !path.is_absolute() {
        return Err(refused(path, &io::Error::other("not an absolute path")));
    }
    let canonical = path.canonicalize().map_err(|error| refused(path, &error))?;
    let root = beneath::root(&canonical).map_err(|error| refused(path, &error))?;
    if root.stamp.is_dir() && canonical.parent().is_some() {
        Ok(canonical)
    } else {
        Err(refused(
            path,
            &io::Error::other("this folder is not one to watch as a whole"),
        ))
    }
}

fn refused(path: &Path, error: &io::Error) -> ErrorObjectOwned {
    Code::InvalidRequest.error(
        format!("cannot watch {}: {}", path.display(), scan::reason(error)),
        "name a folder that you can read, other than /",
    )
}
