//! Promise: whatever a program prints, and whatever it or its files are called, nothing of it acts on the terminal, the
//! page or the editor in which a person looks at it. Each attack is first shown raw, where it must act (the control).

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use saferun_tests::{
    Daemon, bin, long,
    shown::{
        ON_PAGES, ON_TERMINALS, Shown, acts_in_markdown, acts_on_a_page, acts_on_a_terminal,
        always_in_gvisor,
    },
    text,
};

const ON_A_TERMINAL: &str = "import pty, sys\npty.spawn(sys.argv[1:])\n";

/// A text as a literal of Python has it.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, character| {
        _ = write!(out, "\\U{:08x}", u32::from(character));
        out
    })
}

/// A program that prints this on both streams, raises with it, and means to do something with it in its name.
fn program(shown: &str) -> String {
    let bytes: Vec<String> = shown.bytes().map(|byte| byte.to_string()).collect();
    let name = escaped(shown);
    format!(
        "import os, sys\nshown = bytes([{}])\nos.write(1, shown + b'\\n')\nos.write(2, shown + b'\\n')\n\
         if len(sys.argv) > 1: os.system(\"{name}\")\nraise SystemExit('{name}')\n",
        bytes.join(",")
    )
}

/// What a terminal gets to see of a command.
fn on_a_terminal(daemon: &Daemon, args: &[&str]) -> String {
    let mut command = daemon.wrapped_cli(&["python3", "-c", ON_A_TERMINAL], args);
    text(&command.output().expect("saferunctl on a terminal").stdout)
}

fn terminal(daemon: &Daemon, attack: &Shown, runtime: &str, wrong: &mut String) {
    let script = daemon.folder().join("shown.py");
    fs::write(&script, program(attack.text)).expect("a script");
    let path = script.display().to_string();
    let run = ["run", "--policy", "permissive", "--runtime", runtime];
    let raw = on_a_terminal(daemon, &[&run[..], &["-q", "--raw", &path]].concat());
    if acts_on_a_terminal(&raw).is_empty() {
        _ = writeln!(wrong, "control {}: {raw:?}", attack.name);
    }
    // With all that is said of it: findings, the end, the record.
    for command in [
        [&run[..], &[&path]].concat(),
        vec!["scan", &path],
        vec!["show", "last"],
        vec!["logs", "last"],
        vec!["history"],
    ] {
        let seen = on_a_terminal(daemon, &command);
        assert!(!seen.is_empty(), "{command:?} said nothing");
        let acts = acts_on_a_terminal(&seen);
        if !acts.is_empty() {
            _ = writeln!(wrong, "{runtime} {} {command:?}: {acts:?}", attack.name);
        }
    }
}

fn page(daemon: &Daemon, attack: &Shown, runtime: &str, wrong: &mut String) {
    let script = daemon.folder().join("page.py");
    fs::write(&script, program(attack.text)).expect("a script");
    let path = script.display().to_string();
    let ran = daemon
        .cli(&[
            "run",
            "-q",
            "--policy",
            "permissive",
            "--runtime",
            runtime,
            &path,
            "--",
            attack.text,
        ])
        .output()
        .expect("saferunctl");
    assert!(text(&ran.stdout).contains(attack.text), "{ran:?}");
    let report = daemon
        .cli(&["export", "last", "--html"])
        .output()
        .expect("saferunctl");
    let page = text(&report.stdout);
    assert!(page.contains("default-src 'none'"), "{report:?}");
    let raw = format!("<pre>{}</pre>", text(&ran.stdout));
    if acts_on_a_page(&raw).is_empty() {
        _ = writeln!(wrong, "control {}: {raw}", attack.name);
    }
    let acts = acts_on_a_page(&page);
    if !acts.is_empty() {
        _ = writeln!(wrong, "{runtime} {}: {acts:?}", attack.name);
    }
}

/// A language server that is asked once.
struct Editor {
    child: std::process::Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Editor {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(bin("saferun-lsp"))
            .env("SAFERUN_SOCKET", folder.join("saferund.sock"))
            .env("SAFERUN_CONFIG_DIR", folder.join("config"))
            .env("SAFERUN_SYSTEM_CONFIG_DIR", folder.join("etc"))
            .env("SAFERUN_NO_START", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("saferun-lsp");
        let said = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, said }
    }

    fn say(&mut self, message: &serde_json::Value) {
        let body = message.to_string();
        let input = self.child.stdin.as_mut().expect("its input");
        write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("it listens");
        input.flush().expect("it listens");
    }

    /// The answer to a request; what comes before it is passed over.
    fn ask(&mut self, id: u32, method: &str, params: &serde_json::Value) -> serde_json::Value {
        self.say(
            &serde_json::json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}),
        );
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                self.said.read_line(&mut line).expect("a head");
                assert!(
                    !line.is_empty(),
                    "the server ended before it answered {method}"
                );
                if let Some(number) = line.trim().strip_prefix("Content-Length: ") {
                    length = number.parse().expect("a length");
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.said.read_exact(&mut body).expect("a body");
            let message: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            if message["id"] == id && message.get("method").is_none() {
                return message["result"].clone();
            }
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hover and diagnostics over a call whose argument is the attack: what Markdown would make of it.
fn editor(daemon: &Daemon, attack: &Shown, wrong: &mut String) {
    let mut editor = Editor::start(daemon.folder());
    let json = |text: &str| -> serde_json::Value { serde_json::from_str(text).expect("JSON") };
    editor.ask(1, "initialize", &json(r#"{"processId": null, "rootUri": null, "capabilities": {"textDocument": {"hover": {"contentFormat": ["markdown"]}, "diagnostic": {}}}}"#));
    editor.say(&json(
        r#"{"jsonrpc": "2.0", "method": "initialized", "params": {}}"#,
    ));
    let mut open = |name: &str, shown: &str, id: u32| -> String {
        let uri = format!("file:///tmp/{name}.py");
        let literal = escaped(shown);
        // As it stands in the source, and as the scanner reads it.
        let raw = shown.replace(['\\', '"', '\n', '\r'], " ");
        let source = format!("import os\nos.system(\"{literal}\")\nos.system(\"{raw}\")\n");
        editor.say(&serde_json::json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": source}}}));
        let mut said = String::new();
        let report = editor.ask(
            id,
            "textDocument/diagnostic",
            &serde_json::json!({"textDocument": {"uri": uri}}),
        );
        for item in report["items"].as_array().into_iter().flatten() {
            _ = writeln!(said, "{}", item["message"].as_str().unwrap_or_default());
        }
        for line in [1, 2] {
            let at = serde_json::json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": 4}});
            let hover = editor.ask(id + line, "textDocument/hover", &at);
            let markdown = hover["contents"]["value"]
                .as_str()
                .expect("a hover")
                .to_owned();
            said.push_str(&markdown);
        }
        said
    };
    // Links of our own rules are no attack: only what the code adds counts.
    let ours = acts_in_markdown(&open("plain", "ls", 10));
    let said = open("hostile", attack.text, 20);
    let mut acts = acts_in_markdown(&said);
    acts.retain(|one| !ours.contains(one));
    acts.extend(acts_on_a_terminal(&said));
    if !acts.is_empty() {
        _ = writeln!(wrong, "editor {}: {acts:?}", attack.name);
    }
}

#[test]
fn i1_what_a_program_prints_or_names_acts_on_no_terminal_page_or_editor() {
    let Some(daemon) = Daemon::start_with(&[
        ("SAFERUN_LIMITS_RATE_PER_CLIENT", "none"),
        ("SAFERUN_LIMITS_RATE_PER_CODE", "none"),
    ]) else {
        return;
    };
    let mut wrong = String::new();
    for runtime in daemon.tiers() {
        for (place, attack) in ON_TERMINALS.iter().enumerate() {
            if runtime == "runc" || always_in_gvisor(place) || long() {
                terminal(&daemon, attack, runtime, &mut wrong);
            }
        }
        for attack in &ON_PAGES {
            page(&daemon, attack, runtime, &mut wrong);
        }
    }
    for attack in ON_TERMINALS.iter().chain(&ON_PAGES) {
        editor(&daemon, attack, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Names come by a pattern of the shell, too, from a folder that somebody else has filled. No engine is needed.
#[test]
fn a_name_on_the_command_line_acts_on_no_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = "\x1b]0;owned\x07\x1b[2J\u{202e}x";
    let script = folder.path().join(format!("{name}.py"));
    fs::write(&script, "import os; os.system('x')\n").expect("a script");
    fs::write(folder.path().join("a.py"), "print(1)\n").expect("a script");
    let option = format!("--{name}");
    let (file, policy) = (format!("{name}.py"), format!("{name}=1"));
    for line in [
        &["run", name][..],
        &["run", &option],
        &["run", "a.py", name],
        &["run", "a.py", "--timeout", name],
        &["run", "a.py", "--runtime", name],
        &["run", "a.py", "--stdin", name],
        &["run", "a.py", "--file", name],
        &["run", "a.py", "--env", name],
        &["run", "a.py", "--policy", name],
        &["run", "a.py", "--set", &policy],
        &["run", "a.py", "--workspace", name],
        &["run", "--workspace", ".", name],
        &[
            "run",
            "--workspace",
            ".",
            "a.py",
            "--include",
            name,
            "--apply",
        ],
        &["scan", name],
        &["scan", &file],
        &["scan", &file, "--format", "json"],
        &["scan", &file, "--format", "sarif"],
        &["scan", &file, "--format", "github"],
        &["run", name, "--json"],
        &["run", name, "--stream"],
        &["policy", "explain", &file, "--json"],
        &["scan", "a.py", "--fail-on", name],
        &["scan", "--since", name],
        &["check", name],
        &["check", &file],
        &["explain", name],
        &["policy", "show", name],
        &["policy", "show", "--file", name],
        &["policy", "check", name],
        &["policy", "test", &file],
        &["policy", "explain", name],
        &["policy", "explain", "a.py", "--policy", name],
        &["watch", name],
        &["watch", "release", name],
        &["history", "--risk", name],
        &["history", "verify", "--database", name],
        &["export", "last", "--out", name],
        &["apply", "--undo", name],
        &["completions", name],
        &["daemon", name],
        &[name],
    ] {
        let output = Command::new(bin("saferunctl"))
            .args(line)
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env("SAFERUN_SOCKET", folder.path().join("s.sock"))
            .env("SAFERUN_STATE_DIR", folder.path().join("state"))
            .env("SAFERUN_NO_START", "1")
            .stdin(Stdio::null())
            .output()
            .expect("saferunctl starts");
        let seen = text(&output.stdout) + &text(&output.stderr);
        let acts = acts_on_a_terminal(&seen);
        assert!(acts.is_empty(), "{line:?}: {acts:?} in {seen:?}");
        assert!(!seen.is_empty(), "{line:?} has nothing to say");
    }
}

/// Presses Ctrl-C once it has seen that the program went dark. The kernel drops what nobody has read yet of a terminal whose
/// session's leader ends (`tty_ldisc_hangup`): the leader here ends after all was read.
const CTRL_C_ON_A_TERMINAL: &str = r"import os, pty, select, signal, subprocess, sys
told, tell = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.write(tell, bytes([subprocess.call(['env', '--default-signal=INT', *sys.argv[1:]]) & 255]))
    while True: signal.pause()
seen, pressed, code = b'', False, None
while True:
    ready = select.select([terminal] if code is not None else [terminal, told], [], [], 0.5 if code is not None else None)[0]
    if terminal in ready: seen += os.read(terminal, 65536)
    elif told in ready: code = os.read(told, 1)[0]
    else: break
    if b'dark' in seen and not pressed:
        pressed = True
        os.write(terminal, b'\x03')
os.kill(pid, signal.SIGKILL)
os.write(1, seen)
sys.exit(code)
";

#[test]
fn ctrl_c_leaves_no_colour_of_the_program_behind() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let dark = "import time\nprint('\\x1b[31;40mdark', flush=True)\ntime.sleep(300)";
    let run = ["run", "--timeout", "300s", "-c", dark];
    let detached = daemon.cli(&[&run[..], &["--detach"]].concat()).output();
    let id = text(&detached.expect("saferunctl starts").stdout);
    for line in [&run[..], &["logs", "-f", id.trim()]] {
        let terminal = ["python3", "-c", CTRL_C_ON_A_TERMINAL];
        let output = daemon.wrapped_cli(&terminal, line).output();
        let output = output.expect("saferunctl on a terminal");
        let seen = text(&output.stdout);
        assert_eq!(output.status.code(), Some(130), "{line:?}: {seen:?}");
        let (_, after) = seen
            .split_once("\x1b[31;40mdark")
            .expect("the colour passes");
        assert!(after.contains("\x1b[0m"), "{line:?} leaves it: {seen:?}");
    }
    let killed = daemon.cli(&["kill", id.trim()]).status();
    assert!(killed.expect("saferunctl starts").success());
}
