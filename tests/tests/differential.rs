//! Promise: a program behaves in the sandbox as under `python3 FILE`: same standard output, same
//! standard error, same exit status. The reference is the same interpreter in the same image, run by
//! the engine directly, with a plain parent in place of the supervisor.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Outcome, RunRequest, RunResult, StdinMode};
use saferun_tests::{Daemon, text};
use serde_json::Value;

/// One program with the way to run it.
struct Program {
    name: String,
    source: Vec<u8>,
    args: Vec<String>,
    stdin: Option<Vec<u8>>,
    env: Vec<(String, String)>,
    normalise: Vec<String>,
}

/// What a run shows.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    status: String,
    stdout: String,
    stderr: String,
}

impl Program {
    fn read(path: &Path) -> Self {
        let source = fs::read(path).expect("a program");
        let head = String::from_utf8_lossy(&source).into_owned();
        let header = |name: &str| -> Option<Value> {
            let start = format!("# {name}: ");
            let line = head
                .lines()
                .take(12)
                .find_map(|line| line.strip_prefix(&start))?;
            Some(
                serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("{}: {name}: {error}", path.display())),
            )
        };
        let strings = |value: Option<Value>| -> Vec<String> {
            value.map_or_else(Vec::new, |value| {
                serde_json::from_value(value).expect("strings")
            })
        };
        let repeat = header("stdin_repeat")
            .and_then(|count| count.as_u64())
            .unwrap_or(1);
        let stdin = header("stdin").and_then(|value| value.as_str().map(str::to_owned));
        let name = header("file_name").and_then(|value| value.as_str().map(str::to_owned));
        let env: std::collections::BTreeMap<String, String> = header("env")
            .map_or_else(Default::default, |value| {
                serde_json::from_value(value).expect("strings")
            });
        Self {
            name: name.unwrap_or_else(|| {
                path.file_name()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned()
            }),
            args: strings(header("args")),
            stdin: stdin.map(|once| {
                once.repeat(usize::try_from(repeat).expect("a count"))
                    .into_bytes()
            }),
            env: env.into_iter().collect(),
            normalise: strings(header("normalise")),
            source,
        }
    }

    /// The reference: Python starts Python as its only child, reaps, and says how it ended.
    fn natively(&self, daemon: &Daemon, image: &str) -> Shown {
        let folder = daemon.folder().join("native");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join(&self.name), &self.source).expect("the program");
        let shared = Command::new("chown")
            .arg("-R")
            .arg("890200:890200")
            .arg(&folder)
            .status();
        assert!(shared.expect("chown").success());
        let mut command = Command::new("docker");
        command.args([
            "-H",
            daemon.engine(),
            "run",
            "-i",
            "--rm",
            "--network",
            "none",
            "--log-driver",
            "none",
        ]);
        command.args([
            "--user",
            "890200:890200",
            "--workdir",
            "/workspace",
            "--cap-drop",
            "ALL",
        ]);
        command.args([
            "--ulimit",
            "core=0:0",
            "--ulimit",
            "msgqueue=0:0",
            "--ulimit",
            "nofile=1024:1024",
        ]);
        // As a shell does after `cd /workspace`.
        command.args(["--env", "PWD=/workspace"]);
        command.args([
            "--tmpfs",
            "/tmp:noexec,nosuid,nodev",
            "--tmpfs",
            "/home/sandbox:noexec,nosuid,nodev,uid=890200",
        ]);
        command
            .arg("--volume")
            .arg(format!("{}:/workspace", folder.display()));
        for (name, value) in &self.env {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        // A name like an option is given as a person must give it.
        let name = if self.name.starts_with('-') {
            format!("./{}", self.name)
        } else {
            self.name.clone()
        };
        command.args([
            "--entrypoint",
            "/usr/bin/python3",
            image,
            "-S",
            "-E",
            "-c",
            PARENT,
            &name,
        ]);
        command.args(&self.args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker starts");
        let mut stdin = child.stdin.take().expect("its stdin");
        let bytes = self.stdin.clone().unwrap_or_default();
        let feeder = std::thread::spawn(move || {
            // A program that reads nothing closes early: that is its right.
            let _ = stdin.write_all(&bytes);
        });
        let output = child.wait_with_output().expect("docker ends");
        feeder.join().expect("the feeder");
        let stderr = text(&output.stderr);
        let (stderr, status) = stderr.rsplit_once("\u{1}status ").unwrap_or_else(|| {
            panic!(
                "{}: the reference ended with {}: {stderr}",
                self.name, output.status
            )
        });
        self.shown(status.to_owned(), text(&output.stdout), stderr.to_owned())
    }

    fn sandboxed(&self, daemon: &Daemon) -> Shown {
        let mut request = RunRequest::default();
        request.source_base64 = Some(STANDARD.encode(&self.source));
        request.file_name = Some(self.name.clone());
        request.args.clone_from(&self.args);
        request.env.clone_from(&self.env);
        if let Some(stdin) = &self.stdin {
            request.stdin = StdinMode::Given;
            request.stdin_base64 = Some(STANDARD.encode(stdin));
        }
        let result = daemon.run_request(request);
        self.shown(
            status(&result),
            bytes(&result.stdout, result.stdout_base64.as_ref()),
            bytes(&result.stderr, result.stderr_base64.as_ref()),
        )
    }

    fn shown(&self, status: String, stdout: String, stderr: String) -> Shown {
        let clean = |mut text: String| {
            for rule in &self.normalise {
                text = match rule.as_str() {
                    "addresses" => blank(&text, "0x", |c| c.is_ascii_hexdigit()),
                    "durations" => blank(&text, "in ", |c| c.is_ascii_digit() || c == '.'),
                    "uids" => blank(&text, "890", |c| c.is_ascii_digit()),
                    other => panic!("{}: no normaliser is called {other}", self.name),
                };
            }
            text
        };
        Shown {
            status,
            stdout: clean(stdout),
            stderr: clean(stderr),
        }
    }
}

const PARENT: &str = r#"
import os, sys
pid = os.fork()
if pid == 0:
    import signal
    os.execve("/usr/bin/python3", ["python3"] + sys.argv[1:], os.environ)
while True:
    ended, status = os.wait()
    if ended == pid:
        break
text = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
os.write(2, b"\x01status " + text.encode())
"#;

fn status(result: &RunResult) -> String {
    match (result.status, result.exit_code, result.signal) {
        (Outcome::Completed, Some(code), _) => format!("exit {code}"),
        (Outcome::Signaled, _, Some(signal)) => format!("signal {signal}"),
        _ => format!("{:?}: {}", result.status, result.message),
    }
}

fn bytes(text: &str, raw: Option<&String>) -> String {
    raw.map_or_else(
        || text.to_owned(),
        |raw| String::from_utf8_lossy(&STANDARD.decode(raw).expect("base64")).into_owned(),
    )
}

/// Replaces the run of characters after each occurrence of a mark.
fn blank(text: &str, mark: &str, part: impl Fn(char) -> bool + Copy) -> String {
    let mut parts = text.split(mark);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        out.push_str(mark);
        out.push('*');
        out.push_str(rest.trim_start_matches(part));
    }
    out
}

#[test]
fn every_program_behaves_as_under_python3() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential");
    let mut programs: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the programs")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    programs.sort();
    assert!(programs.len() >= 60, "only {} programs", programs.len());
    let image = daemon.image();
    let mut different = Vec::new();
    for path in &programs {
        let program = Program::read(path);
        let native = program.natively(&daemon, &image);
        let sandboxed = program.sandboxed(&daemon);
        if native != sandboxed {
            different.push(format!(
                "{}\n  python3: {native:?}\n  SafeRun: {sandboxed:?}",
                path.display()
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{} of {} differ:\n{}",
        different.len(),
        programs.len(),
        different.join("\n")
    );
    eprintln!("{} programs behave the same", programs.len());
}
