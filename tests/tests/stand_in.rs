//! Promise: `saferun-python` serves other tools as `python3` would, and `saferunctl hook` keeps coding agents from
//! running Python anywhere else.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use saferun_tests::{Daemon, bin, text};
use serde_json::{Value, json};

/// A program that talks to this daemon, given this input.
fn given(daemon: &Daemon, program: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(program)
        .args(args)
        .env("SAFERUN_SOCKET", daemon.socket())
        .env("SAFERUN_NO_START", "1")
        .env("SAFERUN_CONFIG_DIR", daemon.folder().join("config"))
        .env("SAFERUN_SYSTEM_CONFIG_DIR", daemon.folder().join("etc"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("written");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

const ECHO: &str = "import sys\nprint(sys.argv[1:], sys.stdin.read())\nprint('err', file=sys.stderr)\nsys.exit(int(sys.argv[1]))\n";

#[test]
fn the_stand_in_passes_arguments_input_output_and_exit_codes_on() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let python = bin("saferun-python");
    let script = daemon.folder().join("echo.py");
    fs::write(&script, ECHO).expect("a script");
    let path = script.display().to_string();
    for code in [0, 7, 255] {
        let line = ["-u", &path, &code.to_string(), "--json", "-c", "a b"];
        let output = given(&daemon, &python, &line, "in");
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert_eq!(
            text(&output.stdout),
            format!("['{code}', '--json', '-c', 'a b'] in\n")
        );
        assert_eq!(text(&output.stderr), "err\n");
    }
    let output = given(&daemon, &python, &["-c", "print(6 * 7)"], "");
    assert_eq!(text(&output.stdout), "42\n", "{}", text(&output.stderr));
    let output = given(&daemon, &python, &["-"], "print('from input')");
    assert_eq!(text(&output.stdout), "from input\n");
    let output = given(&daemon, &python, &["-m", "pip", "install", "x"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("-m is not"), "{output:?}");
}

#[test]
fn a_script_whose_first_line_names_the_stand_in_runs_in_the_sandbox() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let script = daemon.folder().join("tool");
    let source = format!(
        "#!{}\nimport os, sys\nprint(os.path.exists({:?}), sys.argv[1:])\nsys.exit(5)\n",
        bin("saferun-python").display(),
        daemon.folder(),
    );
    fs::write(&script, source).expect("a script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    let output = given(&daemon, &script, &["-x"], "");
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "False ['-x']\n");
}

#[test]
fn the_hook_sends_python_to_the_sandbox_and_says_what_a_file_would_do() {
    // The hook asks no daemon: this one has no engine.
    let daemon = Daemon::start_without_engine(None);
    let hook = |event: &Value| {
        let output = given(&daemon, &bin("saferunctl"), &["hook"], &event.to_string());
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let run = json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "cd x && python3 a.py"}});
    let (code, said, _) = hook(&run);
    assert_eq!(code, Some(0));
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let decision = &said["hookSpecificOutput"];
    assert_eq!(decision["permissionDecision"], "deny", "{said}");
    let file = daemon.folder().join("bad.py");
    fs::write(&file, "import os\nos.system('rm -rf /')\n").expect("a file");
    let wrote = json!({"hook_event_name": "PostToolUse", "tool_name": "Write", "tool_input": {"file_path": file}});
    let (code, said, _) = hook(&wrote);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, said["decision"].as_str()), (Some(0), Some("block")));
    let calm = json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}});
    assert_eq!(hook(&calm), (Some(0), String::new(), String::new()));
    let (code, said, why) = hook(&json!(["no event"]));
    assert_eq!((code, said.as_str()), (Some(2), ""), "{why}");
    let config = given(
        &daemon,
        &bin("saferunctl"),
        &["hook", "--config", "claude"],
        "",
    );
    let config: Value = serde_json::from_slice(&config.stdout).expect("JSON");
    assert!(config["hooks"]["PreToolUse"].is_array(), "{config}");
}
