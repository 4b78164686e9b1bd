//! The answer to one event, by the hook protocol of coding agents (Claude Code's "hooks" reference). Pure
//! but for the given reader of files.

use saferun_scanner::{Level, Options, extract::scan_bytes};
use serde::Deserialize;
use serde_json::{Value, json};

use super::command::instead;
use crate::ui::one_line;

/// Most findings that are told.
const MAX_TOLD: usize = 5;

/// What matters of an event. Everything else in it is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    hook_event_name: String,
    tool_name: String,
    tool_input: Input,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Input {
    command: Option<String>,
    file_path: Option<String>,
    notebook_path: Option<String>,
    content: Option<String>,
}

impl Event {
    /// The file that a tool has written.
    pub(super) fn written(&self) -> Option<&str> {
        let input = &self.tool_input;
        let path = input
            .file_path
            .as_deref()
            .or(input.notebook_path.as_deref());
        path.filter(|_| self.hook_event_name == "PostToolUse")
    }
}

/// What to print, if there is anything to say.
pub(super) fn answer(
    event: &Event,
    level: &str,
    read: impl Fn(&str) -> Option<Vec<u8>>,
) -> Option<Value> {
    let input = &event.tool_input;
    let path = input
        .file_path
        .as_deref()
        .or(input.notebook_path.as_deref());
    match event.hook_event_name.as_str() {
        "PreToolUse" if event.tool_name == "Bash" => {
            let what = instead(input.command.as_deref()?)?;
            Some(deny(&format!(
                "Python that a model wrote does not run on this machine unguarded: {what}. It takes the same arguments and input, and nothing that it does can leave the sandbox."
            )))
        }
        "PreToolUse" => {
            let told = scan(path?, input.content.as_deref()?.as_bytes(), level)?;
            Some(deny(&format!(
                "SafeRun refuses to have this written: {told}"
            )))
        }
        "PostToolUse" => {
            let path = path.filter(|path| is_python(path))?;
            let told = scan(path, &read(path)?, level)?;
            Some(json!({
                "decision": "block",
                "reason": format!("SafeRun looked at what was written: {told}"),
            }))
        }
        _ => None,
    }
}

fn deny(reason: &str) -> Value {
    json!({
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": reason,
        }
    })
}

fn is_python(path: &str) -> bool {
    let ending = std::path::Path::new(path).extension();
    ending.is_some_and(|found| {
        ["py", "pyi", "pyw", "ipynb"]
            .iter()
            .any(|known| found == *known)
    })
}

/// The findings from this level on, in one line.
fn scan(path: &str, bytes: &[u8], level: &str) -> Option<String> {
    if !is_python(path) {
        return None;
    }
    let least: Level = level.parse().unwrap_or(Level::High);
    let file = scan_bytes(path, bytes, &Options::default());
    let told: Vec<String> = file
        .report
        .findings
        .iter()
        .filter(|finding| finding.level >= least)
        .take(MAX_TOLD)
        .map(|finding| {
            format!(
                "line {}: {} {} ({})",
                finding.range.start.line,
                finding.level,
                one_line(&finding.message),
                finding.rule
            )
        })
        .collect();
    (!told.is_empty()).then(|| format!("{}: {}", one_line(path), told.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: &str =
        "import os, subprocess\nsubprocess.run(input(), shell=True)\nos.system('rm -rf /')\n";

    fn answered(event: &Value) -> Option<Value> {
        let event = serde_json::from_value(event.clone()).expect("an event");
        answer(&event, "HIGH", |path| {
            (path == "/w/bad.py").then(|| BAD.as_bytes().to_vec())
        })
    }

    #[test]
    fn running_python_is_denied_with_the_way_to_do_it() {
        let event = json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "session_id": "x",
            "tool_input": {"command": "python3 a.py", "description": "d"}});
        let said = answered(&event).expect("an answer");
        let decision = &said["hookSpecificOutput"];
        assert_eq!(decision["permissionDecision"], "deny");
        let reason = decision["permissionDecisionReason"].as_str().expect("text");
        assert!(reason.contains("saferun-python"), "{reason}");
        let calm = json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}});
        assert_eq!(answered(&calm), None);
    }

    #[test]
    fn what_is_written_is_scanned_before_and_after() {
        let before = json!({"hook_event_name": "PreToolUse", "tool_name": "Write",
            "tool_input": {"file_path": "/w/x.py", "content": BAD}});
        assert!(answered(&before).is_some_and(|said| said.to_string().contains("line 3")));
        let after = json!({"hook_event_name": "PostToolUse", "tool_name": "Edit",
            "tool_input": {"file_path": "/w/bad.py"}});
        assert_eq!(answered(&after).expect("an answer")["decision"], "block");
        for path in ["/w/bad.txt", "/w/gone.py"] {
            let event =
                json!({"hook_event_name": "PostToolUse", "tool_input": {"file_path": path}});
            assert_eq!(answered(&event), None, "{path}");
        }
        let fine = json!({"hook_event_name": "PreToolUse", "tool_name": "Write",
            "tool_input": {"file_path": "/w/x.py", "content": "print(1)\n"}});
        assert_eq!(answered(&fine), None);
    }
}
