//! The policy as the daemon holds it: layers, changes while it runs, rates that survive it, places and the queue,
//! overrides.

mod admission;
mod changes;
mod layers;
mod overrides;
mod presets;

use std::fs;

use saferun_protocol::{Advice, ApiClient, Code, RunRequest, RunResult};
use saferun_tests::{Daemon, have_policy, text};

/// Puts the user's policy in place.
pub(crate) fn write(daemon: &Daemon, yaml: &str) {
    have_policy(&daemon.folder().join("config"), yaml, None);
}

pub(crate) fn attempt(
    daemon: &Daemon,
    source: &str,
    change: impl FnOnce(&mut RunRequest),
) -> Result<RunResult, (Code, String, Option<u64>)> {
    let mut request = RunRequest::new(source);
    change(&mut request);
    let client = daemon.connect();
    daemon
        .block_on(client.run(request))
        .map_err(|error| match error {
            jsonrpsee::core::ClientError::Call(object) => {
                let data = object.data().map(|data| data.get().to_owned());
                let advice: Option<Advice> = data.and_then(|data| serde_json::from_str(&data).ok());
                (
                    Code::from_number(object.code()).expect("a code of ours"),
                    object.message().to_owned(),
                    advice.and_then(|advice| advice.retry_after_ms),
                )
            }
            other => panic!("{other}"),
        })
}

pub(crate) fn project(daemon: &Daemon, name: &str, yaml: &str, script: &str) -> std::path::PathBuf {
    let folder = daemon.folder().join(name);
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::write(folder.join(".saferun.yaml"), yaml).expect("a file");
    let path = folder.join("src/x.py");
    fs::write(&path, script).expect("a script");
    path
}

pub(crate) fn cli(daemon: &Daemon, args: &[&str]) -> (Option<i32>, String, String) {
    let output = daemon.cli(args).output().expect("saferunctl");
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}
