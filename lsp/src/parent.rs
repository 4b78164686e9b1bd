//! Ends the server when the editor is gone, also when the pipe to it is held open by somebody else.

use std::time::Duration;

use nix::{sys::signal::kill, unistd::Pid};

/// How often the editor's process is looked for.
const EVERY: Duration = Duration::from_secs(2);

/// Watches the process that the client named; without one, the end of input is the only sign.
pub(crate) fn watch(process: Option<u32>) {
    let Some(pid) = process
        .and_then(|id| i32::try_from(id).ok())
        .filter(|pid| *pid > 0)
    else {
        return;
    };
    let pid = Pid::from_raw(pid);
    // An editor in another PID namespace cannot be seen from the start: then there is nothing to watch.
    if !alive(pid) {
        return;
    }
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            if !alive(pid) {
                leave();
            }
        }
    });
}

fn alive(pid: Pid) -> bool {
    // EPERM is an answer of a living process too.
    kill(pid, None) != Err(nix::errno::Errno::ESRCH)
}

#[expect(
    clippy::exit,
    reason = "nobody is left to hear of an orderly end, and runs end with the connection"
)]
fn leave() -> ! {
    std::process::exit(1)
}
