//! `hook`: the command that a coding agent calls before and after its tools. Python that the model
//! writes is scanned; Python that it would run is sent to the sandbox. Reads one JSON object, bounded;
//! what cannot be understood is refused (exit code 2), never let through.

mod answer;
mod command;

use std::io::{Read, Write};

use crate::{args::HookArgs, failure::Failure, ui};

/// Largest event in bytes.
const MAX_EVENT: u64 = 8 * 1024 * 1024;
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
pub(crate) fn hook(args: &HookArgs) -> Result<u8, Failure> {
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
    let answered = answer::answer(&event, &args.level, |path| {
        let mut text = Vec::new();
        let file = std::fs::File::open(path).ok()?;
        file.take(MAX_EVENT).read_to_end(&mut text).ok()?;
        Some(text)
    });
    if let Some(json) = answered {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{json}");
    }
    Ok(0)
}
