//! The kernel's events of changed files (inotify(7)), as an async stream. Knows no file.

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd, RawFd},
    sync::Arc,
};

use nix::sys::inotify::{Inotify, InotifyEvent};
use tokio::io::unix::AsyncFd;

/// The events of one inotify instance.
pub(crate) struct Events(AsyncFd<Kernel>);

/// The kernel's end, as the reactor wants it.
struct Kernel(Arc<Inotify>);

impl AsRawFd for Kernel {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Events {
    /// The events of an instance that was made non-blocking. Needs a runtime of tokio's around it.
    ///
    /// # Errors
    /// The reactor takes no more descriptors.
    pub(crate) fn of(inotify: Arc<Inotify>) -> io::Result<Self> {
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for descriptors that change hands: this one is owned, and never given away"
        )]
        AsyncFd::new(Kernel(inotify)).map(Self)
    }

    /// Waits for the next events.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) async fn next(&self) -> io::Result<Vec<InotifyEvent>> {
        loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|inotify| Ok(inotify.get_ref().0.read_events()?)) {
                Ok(events) => return events,
                Err(_would_block) => {}
            }
        }
    }
}
