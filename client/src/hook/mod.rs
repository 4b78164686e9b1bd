//! `hook`: the command that a coding agent calls before and after its tools. Python that the model
//! writes is scanned, and announced to a daemon that runs; Python that it would run is sent to the sandbox. Reads one
//! JSON object, bounded; what cannot be understood is refused (exit code 2), never let through.

mod answer;
mod command;

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use nix::libc;
use saferun_protocol::{ApiClient, HostPath};

use crate::{args::HookArgs, daemon, failure::Failure, scan::has_ending, ui};

/// Largest event in bytes.
const MAX_EVENT: u64 = 8 * 1024 * 1024;
/// How long a daemon may take to hear who wrote a file.
const PATIENCE: Duration = Duration::from_secs(2);
/// What the agent that speaks this protocol is called to the watch.
const AGENT: &str = "claude";
/// Exit code that tells the agent "no", with the reason on standard error.
const REFUSED: u8 = 2;

const CLAUDE: &str = r#"{
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Bash|Write",
        "hooks": [{ "type": "command", "command": "saferunctl hook", "timeout": 30 }]
      }
    ],
    "PostToolUse": [
      {
        "matcher": "Write|Edit|MultiEdit|NotebookEdit",
        "hooks": [{ "type": "command", "command": "saferunctl hook", "timeout": 30 }]
      }
    ]
  }
}"#;

/// Answers one event, or prints the configuration.
pub(crate) async fn hook(args: &HookArgs) -> Result<u8, Failure> {
    if args.config.is_some() {
        ui::line(CLAUDE);
        return Ok(0);
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin()
        .lock()
        .take(MAX_EVENT + 1)
        .read_to_end(&mut bytes);
    let refuse = |why: &str| {
        ui::note(format!("saferunctl hook: {why}"));
        Ok(REFUSED)
    };
    if read.is_err() || bytes.len() as u64 > MAX_EVENT {
        return refuse("the event is larger than 8 MiB or cannot be read");
    }
    // An array would fill the fields of an event in their order.
    let event = serde_json::from_slice::<serde_json::Value>(&bytes)
        .ok()
        .filter(serde_json::Value::is_object)
        .and_then(|event| serde_json::from_value::<answer::Event>(event).ok());
    let Some(event) = event else {
        return refuse(
            "standard input is no hook event; `saferunctl hook --config claude` prints how to set it up",
        );
    };
    let answered = answer::answer(&event, &args.level, content);
    if let Some(json) = answered {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{json}");
    }
    if let Some(path) = event.written().filter(|path| has_ending(Path::new(path))) {
        // For the watch alone: the answer holds without it.
        let _ = tokio::time::timeout(PATIENCE, announce(path)).await;
    }
    Ok(0)
}

/// The beginning of a regular file; nothing of what would never end or never begin.
fn content(path: &str) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut options = File::options();
    let file = options.read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = file
        .ok()
        .filter(|file| file.metadata().is_ok_and(|meta| meta.is_file()))?;
    file.take(MAX_EVENT).read_to_end(&mut text).ok()?;
    Some(text)
}

/// Tells a daemon that runs who wrote a file. None is started for it.
async fn announce(path: &str) {
    let Ok(path) = std::path::absolute(path) else {
        return;
    };
    if let Ok(Some(client)) = daemon::reach_running().await {
        let files = vec![HostPath::from(path.as_path())];
        // A daemon that does not listen to this user has no watch of this user's either.
        let _ = client.watch_announce(files, AGENT.to_owned()).await;
    }
}
