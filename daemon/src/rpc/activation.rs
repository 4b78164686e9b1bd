//! A socket that the service manager holds for us (`sd_listen_fds(3)`), and what it is told (`sd_notify(3)`).
//! Without a service manager nothing here does anything.

use std::{io, os::unix::net::UnixListener as StdListener, path::Path, time::Duration};

use tokio::net::UnixListener;

use super::listen::{ListenError, bind};

/// The listener: the one that the service manager hands over, else a socket of our own at `path`. The
/// flag says whether it is ours, and so ours to remove.
pub(crate) fn listener(path: &Path) -> Result<(UnixListener, bool), ListenError> {
    let failed = |source: io::Error| ListenError::Io {
        path: "the socket of the service manager".to_owned(),
        source,
    };
    let mut handed = listenfd::ListenFd::from_env();
    if handed.len() == 0 {
        return Ok((bind(path)?, true));
    }
    if handed.len() > 1 {
        return Err(failed(io::Error::other(
            "it handed over more than one; give the unit one ListenStream=",
        )));
    }
    let listener: StdListener = handed
        .take_unix_listener(0)
        .map_err(failed)?
        .ok_or_else(|| failed(io::Error::other("it is no Unix stream socket")))?;
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = UnixListener::from_std(listener).map_err(failed)?;
    Ok((listener, false))
}

/// Says that requests are answered now, and goes on saying so as often as the watchdog asks.
pub(crate) fn ready() {
    tell(&[sd_notify::NotifyState::Ready]);
    if let Some(period) = sd_notify::watchdog_enabled() {
        // Half of it, as sd_watchdog_enabled(3) recommends. On a worker of the runtime: when that hangs, so does this.
        let pause = (period / 2).max(Duration::from_millis(10));
        tokio::spawn(async move {
            loop {
                tell(&[sd_notify::NotifyState::Watchdog]);
                tokio::time::sleep(pause).await;
            }
        });
    }
}

/// Says that the daemon drains.
pub(crate) fn stopping() {
    tell(&[sd_notify::NotifyState::Stopping]);
}

fn tell(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("the service manager cannot be told: {error}");
    }
}
