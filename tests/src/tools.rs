//! Small things that every live test needs: the engine's own command line, a pause, text of what a command said.

use std::{
    process::{Command, Output},
    time::Duration,
};

/// Runs the engine's own command line, as the second opinion that is not ours.
///
/// # Panics
/// If it cannot be started.
#[must_use]
pub fn docker(engine: &str, args: &[&str]) -> Output {
    Command::new("docker")
        .args(["-H", engine])
        .args(args)
        .output()
        .expect("docker starts")
}

/// A short wait between two looks at a condition.
#[expect(
    clippy::disallowed_methods,
    reason = "polls a condition that another process changes"
)]
pub fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

/// Standard output of a finished command as text.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
