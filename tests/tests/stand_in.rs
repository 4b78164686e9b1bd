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
}

/// A script that does what its arguments say.
const ODD: &str = r#"
import os, signal, sys
def down():
    raise ValueError("broken: \u00e9")
what = sys.argv[1] if len(sys.argv) > 1 else "input"
if what == "input":
    for line in sys.stdin: print(line.upper(), end="")
elif what == "binary": sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])
elif what == "ask": print(repr(input("name? ")))
elif what == "raise": down()
elif what == "exit": sys.exit(int(sys.argv[2]))
elif what == "words": sys.exit("given up")
elif what == "hard": os._exit(9)
elif what == "kill": os.kill(os.getpid(), getattr(signal, sys.argv[2]))
elif what == "about": print(sys.argv[1:], __name__, os.path.basename(__file__), sys.flags.interactive)
elif what == "both":
    print("out", flush=True)
    print("err", file=sys.stderr)
elif what == "late":
    import atexit, threading
    atexit.register(print, "last")
    threading.Thread(target=print, args=("thread",)).start()
"#;

/// What ends a process as the caller sees it in a shell.
fn end(output: &Output) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    let status = output.status;
    let signal = status.signal().map(|signal| 128 + signal);
    status.code().or(signal).expect("it has ended")
}

/// Lines for the interpreter, with their input: `python3` and the stand-in say the same and end alike. Code that has no
/// file is called `main.py` in the sandbox, so that a traceback shows its lines.
#[test]
fn the_stand_in_says_and_ends_as_python3_does() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let folder = daemon.folder().join("odd");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("odd.py"), ODD).expect("a script");
    let lines: [(&[&str], &str); 27] = [
        (&["odd.py"], "one\ntwo"),
        (&["odd.py", "binary"], "\u{0}\u{7f}\u{ff}\r\n"),
        (&["odd.py", "ask"], "me\nyou\n"),
        (&["odd.py", "ask"], ""),
        (&["odd.py", "raise"], ""),
        (&["odd.py", "exit", "0"], ""),
        (&["odd.py", "exit", "3"], ""),
        (&["odd.py", "exit", "256"], ""),
        (&["odd.py", "exit", "-1"], ""),
        (&["odd.py", "words"], ""),
        (&["odd.py", "hard"], ""),
        (&["odd.py", "kill", "SIGTERM"], ""),
        (&["odd.py", "kill", "SIGKILL"], ""),
        (&["odd.py", "kill", "SIGSEGV"], ""),
        (&["odd.py", "kill", "SIGINT"], ""),
        (&["odd.py", "about", "", "--", "-c", "a b", "*"], ""),
        (&["-u", "-B", "odd.py", "both"], ""),
        (&["-uB", "odd.py", "late"], ""),
        (&["-c", "import sys; print(sys.argv[1:])", "-x", "y"], ""),
        (&["-cprint(1)"], ""),
        (&["-c", "1 +"], ""),
        (&["-", "a"], "import sys; print(sys.argv[1:], __name__)"),
        (&[], "print('no arguments')"),
        (&["-m", "json.tool", "--compact"], "{\"b\": [1,  2]}"),
        (&["-mcalendar", "2026", "2"], ""),
        (&["-m", "odd", "about", "x"], ""),
        (&["-m", "nosuch"], ""),
    ];
    for (line, input) in lines {
        let wanted = within(&folder, &daemon, Path::new("/usr/bin/python3"), line, input);
        let had = within(&folder, &daemon, &bin("saferun-python"), line, input);
        assert_eq!(end(&had), end(&wanted), "{line:?}: {had:?}");
        assert_eq!(text(&had.stdout), text(&wanted.stdout), "{line:?}: {had:?}");
        // Of a signal the command says a sentence of its own.
        if end(&wanted) < 128 || end(&wanted) == 255 {
            let here = |output: &Output| {
                let said = text(&output.stderr).replace("/workspace/", "");
                let said = said.replace(&format!("{}/", folder.display()), "");
                said.replace("\"main.py\"", "\"<string>\"")
            };
            assert_eq!(here(&had), here(&wanted), "{line:?}");
        }
    }
}

/// A program started in this folder, under a policy that stops none of it.
fn within(folder: &Path, daemon: &Daemon, program: &Path, args: &[&str], input: &str) -> Output {
    let mut line = vec![
        "-C",
        folder.to_str().expect("text"),
        "SAFERUN_POLICY=permissive",
    ];
    line.push(program.to_str().expect("text"));
    line.extend(args);
    given(daemon, Path::new("/usr/bin/env"), &line, input)
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
