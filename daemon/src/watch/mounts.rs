//! Hears from the kernel when a file system is mounted or vanishes. inotify says nothing useful then,
//! and no watch of ours may keep a file system busy.

use std::{fs::File, sync::Arc};

use tokio::io::{Interest, unix::AsyncFd};

use super::{Inner, WatchService};

/// Tells the service of each change of the mounts, until no root is left: whoever watches nothing is not woken by
/// every container that starts on this machine.
#[expect(
    deprecated,
    reason = "its successor is unsafe for descriptors that change; a `File` keeps its own"
)]
pub(super) fn follow(inner: &Arc<Inner>) {
    // proc(5): a change of the mounts makes this file readable with priority.
    let table = File::open("/proc/self/mountinfo")
        .and_then(|file| AsyncFd::with_interest(file, Interest::PRIORITY | Interest::ERROR));
    let table = match table {
        Ok(table) => table,
        Err(error) => {
            tracing::warn!(%error, "mounts cannot be followed; a watched folder on one may vanish unseen");
            return;
        }
    };
    let service = Arc::downgrade(inner);
    tokio::spawn(async move {
        while let Ok(mut guard) = table.ready(Interest::PRIORITY | Interest::ERROR).await {
            guard.clear_ready();
            let Some(inner): Option<Arc<Inner>> = service.upgrade() else {
                return;
            };
            if inner.stops_following() {
                return;
            }
            WatchService { inner }.mounts_changed();
        }
    });
}
