//! Small things that every live test needs: the engine's own command line, a pause, text of what a command said.

use std::{
    fs,
    io::Write as _,
    path::Path,
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

/// Says that a test, or a part of one, did not run. Straight to standard error: what a test prints by the macros is kept
/// back when it passes.
pub fn skipped(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {why}");
}

/// The files right in a folder, with what is in them.
///
/// # Panics
/// If one cannot be read.
#[must_use]
pub fn snapshot(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(root)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a file")))
        .collect();
    found.sort();
    found
}

/// True when the long counts are wanted (`make test-long`).
#[must_use]
pub fn long() -> bool {
    std::env::var_os("SAFERUN_TEST_LONG").is_some()
}

/// What git says of a folder, by a user that it knows.
///
/// # Panics
/// If it does not start, or fails.
// Most call it for what it does.
#[allow(clippy::must_use_candidate)]
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@localhost"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git starts");
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    text(&output.stdout).trim().to_owned()
}
