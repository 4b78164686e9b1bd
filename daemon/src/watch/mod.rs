//! The watch: folders of the host, scanned as files land in them, for any number of subscribers. This
//! file owns the list of roots; each root has a thread of its own (`root`). Changes nothing of a user's but the mode of a
//! file, and that only where the standing policy says so (`quarantine`).

mod beneath;
mod board;
mod commits;
mod desktop;
mod inbox;
mod known;
mod mounts;
mod patience;
mod pending;
mod provenance;
mod quarantine;
mod respond;
mod root;
mod rules;
mod scan;
mod shared;
mod subscribe;
mod survey;
mod watcher;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use jsonrpsee::types::ErrorObjectOwned;
use saferun_policy::Policy;
use saferun_protocol::{Code, HostPath, MAX_ANNOUNCED, MAX_WATCH_ROOTS, WatchRequest, WatchRoot};

use self::{
    inbox::Touch,
    provenance::Provenance,
    respond::Responder,
    root::{Context, Root},
    scan::FileScanner,
    shared::Shared,
};
use crate::audit::Audit;
pub(crate) use patience::asked;
pub(crate) use respond::Means;
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
    context: Mutex<Arc<Context>>,
    only_generated: AtomicBool,
    responder: Responder,
    audit: Audit,
    /// The policy's own roots, as long as it names them.
    standing: Mutex<Vec<Lease>>,
    /// Whether changes of the mounts are heard of; under the lock of the roots.
    follows_mounts: AtomicBool,
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
    /// A watch by the standing policy, which it follows; takes up the policy's own roots.
    pub(crate) fn new(means: Means) -> Self {
        let mut changes = means.policies.watch();
        let first = Arc::clone(&changes.borrow_and_update());
        let audit = means.audit.clone();
        let responder = Responder::start(means);
        let context = context(first.policy(), &Provenance::default(), responder.clone());
        let service = Self {
            inner: Arc::new(Inner {
                roots: Mutex::default(),
                context: Mutex::new(Arc::new(context)),
                only_generated: AtomicBool::new(first.policy().watch.only_generated),
                responder,
                audit,
                standing: Mutex::default(),
                follows_mounts: AtomicBool::new(false),
            }),
        };
        service.take_up(&first.policy().watch.roots);
        let follower = service.clone();
        tokio::spawn(async move {
            let mut last = first;
            while changes.changed().await.is_ok() {
                let now = Arc::clone(&changes.borrow_and_update());
                let (service, from, to) = (follower.clone(), last, Arc::clone(&now));
                let adopted = move || service.adopt(from.policy(), to.policy());
                if let Err(error) = tokio::task::spawn_blocking(adopted).await {
                    tracing::error!(%error, "the watch did not take up the policy");
                }
                last = now;
            }
        });
        service
    }

    /// Passes to another state of the policy. What is done on a finding, and how often, is asked for at each finding.
    fn adopt(&self, from: &Policy, to: &Policy) {
        let (old, new) = (&from.watch, &to.watch);
        self.inner
            .only_generated
            .store(new.only_generated, Ordering::Relaxed);
        let judged_alike = old.ignore == new.ignore
            && old.generated_paths == new.generated_paths
            && old.generated_markers == new.generated_markers
            && old.generated_folders == new.generated_folders
            && old.generated_since == new.generated_since
            && from.honour_suppressions == to.honour_suppressions;
        if !judged_alike {
            let before = self.inner.context();
            let next = Arc::new(context(
                to,
                &before.provenance,
                self.inner.responder.clone(),
            ));
            // Under the lock of the roots, so that none that is just being added keeps the state before.
            let roots = self.inner.roots();
            *lock(&self.inner.context) = Arc::clone(&next);
            for entry in roots.values() {
                entry.shared.adopt(Arc::clone(&next));
            }
        }
        if old.roots != new.roots {
            self.take_up(&new.roots);
        }
    }

    /// Watches the policy's own roots, and no longer those that it named before.
    fn take_up(&self, roots: &[String]) {
        let mut leases = Vec::new();
        for root in roots {
            match canonical(Path::new(root)).and_then(|path| self.lease(&path)) {
                Ok(lease) => leases.push(lease),
                Err(error) => tracing::warn!(root, "watch.roots: {}", error.message()),
            }
        }
        let before = std::mem::replace(&mut *lock(&self.inner.standing), leases);
        drop(before);
    }

    /// Gives a file that is in quarantine its rights back.
    pub(crate) async fn release(&self, file: &HostPath) -> Result<(), ErrorObjectOwned> {
        let shown = file.path.clone();
        let refused = |why: &dyn std::fmt::Display| {
            Code::InvalidRequest.error(
                format!("{shown} is not released: {why}"),
                "look at the file; its owner can set any mode with chmod",
            )
        };
        let path = file.to_path().filter(|path| path.is_absolute());
        let place = path.as_deref().and_then(|path| {
            let folder = path.parent()?.canonicalize().ok()?;
            Some((folder, PathBuf::from(path.file_name()?)))
        });
        let Some((folder, name)) = place else {
            return Err(refused(&"it is no absolute path to a file in a folder"));
        };
        let absolute = folder.join(&name);
        let responder = &self.inner.responder;
        let settle = |sha256: &str| responder.releasing(&absolute, sha256);
        let sha256 = quarantine::release(&self.inner.audit, &folder, &name, settle)
            .await
            .map_err(|left| refused(&left))?;
        responder.released(&absolute, &sha256);
        self.judge_again(&absolute);
        Ok(())
    }

    /// Has what is said of a file looked at again in all roots that hold it.
    fn judge_again(&self, path: &Path) {
        for entry in self.inner.roots().values() {
            if path.starts_with(&entry.shared.path) {
                let touch = Touch {
                    again: true,
                    ..Touch::default()
                };
                entry.shared.inbox.touch(path.to_owned(), touch);
            }
        }
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
        let only = request.only_generated || self.inner.only_generated.load(Ordering::Relaxed);
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
            self.inner.context().provenance.announce(&path, tool);
            self.judge_again(&path);
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
            let shared = Shared::new(path.to_owned(), self.inner.context());
            let started = Root::start(Arc::clone(&shared));
            started.map_err(|error| refused(path, &error))?;
            roots.insert(path.to_owned(), Entry { shared, users: 0 });
            if !self.inner.follows_mounts.swap(true, Ordering::Relaxed) {
                mounts::follow(&self.inner);
            }
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
        lock(&self.roots)
    }

    fn context(&self) -> Arc<Context> {
        Arc::clone(&lock(&self.context))
    }

    /// Without a root there are no mounts to follow; the next root begins anew.
    fn stops_following(&self) -> bool {
        let roots = self.roots();
        if roots.is_empty() {
            self.follows_mounts.store(false, Ordering::Relaxed);
        }
        roots.is_empty()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all roots use under a policy.
fn context(policy: &Policy, before: &Provenance, responder: Responder) -> Context {
    let rules = &policy.watch;
    let options = saferun_scanner::Options {
        honour_suppressions: policy.honour_suppressions,
        ..saferun_scanner::Options::default()
    };
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    Context {
        scanner: FileScanner::new(
            cores,
            options,
            rules.generated_markers.clone(),
            !rules.generated_since.is_empty(),
        ),
        provenance: before.under(&rules.generated_paths, &rules.generated_folders),
        ignore: rules.ignore.clone(),
        since: rules.generated_since.clone(),
        responder,
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
    let keeps_files = !mounts::keeps_no_files(&root);
    if root.stamp.is_dir() && canonical.parent().is_some() && keeps_files {
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
        "name a folder of files that you can read, other than /",
    )
}
