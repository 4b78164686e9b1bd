//! Does one step: a command with arguments and no shell, with a deadline, its last lines kept.

use std::{
    io::ErrorKind,
    path::Path,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Command,
    time::{sleep, timeout},
};

use super::plan::{ENGINE_SETTINGS, Step};
use crate::{
    doctor::engine,
    ui::{Progress, one_line},
};

/// How long one command may take; packages come over the network.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// How much later it is given up, if even `timeout` could not end it.
const GRACE: Duration = Duration::from_secs(60);
/// How long an engine that was just started may take until it answers.
pub(super) const AWAITED: Duration = Duration::from_secs(60);
/// Longest line of a command that is looked at, in bytes.
const MOST_LINE: u64 = 16 * 1024;

/// How a step came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// Left out, and why.
    Skipped(String),
    /// It failed: the sentence.
    Failed(String),
}

/// How root's commands are started.
#[derive(Debug, Clone, Copy)]
pub(super) enum Root {
    /// This process is root.
    Is,
    /// Through `sudo`, which may ask for a password.
    Asks,
    /// Through `sudo`, which may not ask.
    Quietly,
}

/// Does the step.
pub(super) async fn perform(step: &Step, root: Root, progress: &mut Progress) -> Outcome {
    match step {
        Step::Run {
            argv,
            root: as_root,
            only_with,
            ..
        } => {
            if let Some(missing) = only_with.as_deref().filter(|path| !path.exists()) {
                return without(missing);
            }
            let start = if *as_root { prefix(root) } else { &[] };
            command(start, argv, None, progress).await
        }
        Step::Settings {
            contents,
            only_with,
        } => {
            if !only_with.exists() {
                return without(only_with);
            }
            command(prefix(root), &install_settings(), Some(contents), progress).await
        }
        Step::Await => answer().await,
        Step::Image => image(progress).await,
        Step::Tell(..) => Outcome::Done,
    }
}

/// Waits until the engine answers; that this user may not ask it yet is an answer.
async fn answer() -> Outcome {
    let began = Instant::now();
    loop {
        match engine::find(None).silence() {
            None | Some(ErrorKind::PermissionDenied) => return Outcome::Done,
            Some(_) if began.elapsed() < AWAITED => sleep(Duration::from_millis(200)).await,
            Some(_) => {
                let why = format!(
                    "it did not answer within {} s; where its start script writes a log, that is /var/log/docker.log",
                    AWAITED.as_secs()
                );
                return Outcome::Failed(why);
            }
        }
    }
}

/// The command that writes the engine's settings from its standard input, and keeps the old ones as `*.~1~`, `*.~2~` ...
pub(super) fn install_settings() -> Vec<String> {
    [
        "install",
        "-D",
        "-m",
        "0644",
        "--backup=numbered",
        "/dev/stdin",
        ENGINE_SETTINGS,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Builds the image by this program's own command, which shows its progress itself.
async fn image(progress: &Progress) -> Outcome {
    progress.end();
    let own = match std::env::current_exe() {
        Ok(own) => own,
        Err(error) => return Outcome::Failed(format!("saferunctl is not found: {error}")),
    };
    let child = Command::new(own)
        .args(["image", "build", "python"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status();
    match timeout(DEADLINE + GRACE, child).await {
        Ok(Ok(status)) => judge(status),
        Ok(Err(error)) => Outcome::Failed(format!("it cannot be started: {error}")),
        Err(_) => Outcome::Failed("it did not end".to_owned()),
    }
}

fn without(missing: &Path) -> Outcome {
    Outcome::Skipped(format!("there is no {}", missing.display()))
}

fn prefix(root: Root) -> &'static [&'static str] {
    match root {
        Root::Is => &[],
        Root::Asks => &["sudo", "--"],
        Root::Quietly => &["sudo", "-n", "--"],
    }
}

/// `timeout` stands before the command, not around it: only root may end what `sudo` started.
async fn command(
    start: &[&str],
    argv: &[String],
    input: Option<&str>,
    progress: &mut Progress,
) -> Outcome {
    let seconds = DEADLINE.as_secs().to_string();
    let mut words = start
        .iter()
        .map(|&word| word.to_owned())
        .collect::<Vec<_>>();
    words.extend(["timeout", "--kill-after=20", &seconds].map(str::to_owned));
    words.extend(argv.iter().cloned());
    let child = Command::new(&words[0])
        .args(&words[1..])
        .env("LC_ALL", "C.UTF-8")
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Outcome::Failed(format!("{} cannot be started: {error}", words[0])),
    };
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // A command that does not read it says so by its exit code.
        let _ = pipe.write_all(input.as_bytes()).await;
    }
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (sender, mut lines) = tokio::sync::mpsc::channel(64);
        let relays = async { tokio::join!(relay(out, sender.clone()), relay(err, sender)) };
        let show = async {
            while let Some(line) = lines.recv().await {
                progress.log(&line);
            }
        };
        tokio::join!(relays, show);
        child.wait().await
    };
    match timeout(DEADLINE + GRACE, work).await {
        Ok(Ok(status)) => judge(status),
        Ok(Err(error)) => Outcome::Failed(format!("its end is not known: {error}")),
        Err(_) => Outcome::Failed("it did not end".to_owned()),
    }
}

fn judge(status: ExitStatus) -> Outcome {
    match status.code() {
        Some(0) => Outcome::Done,
        // What timeout(1) returns when it had to end the command.
        Some(124 | 137) => Outcome::Failed(format!(
            "it did not end within {} minutes",
            DEADLINE.as_secs() / 60
        )),
        Some(code) => Outcome::Failed(format!("it ended with exit code {code}")),
        None => Outcome::Failed(format!("it was ended ({status})")),
    }
}

/// Passes a stream on, line by line; what is longer than a line may be comes in parts.
async fn relay(stream: Option<impl AsyncRead + Unpin>, to: tokio::sync::mpsc::Sender<String>) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        let mut part = (&mut reader).take(MOST_LINE);
        if !matches!(part.read_until(b'\n', &mut line).await, Ok(1..)) {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        if to.send(one_line(text.trim_end())).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str], input: Option<&str>) -> (Outcome, Vec<String>) {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let mut progress = Progress::quiet();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let outcome = runtime.block_on(command(&[], &words, input, &mut progress));
        (outcome, progress.last_lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_command_gets_its_words_as_they_are_and_no_shell() {
        let (outcome, lines) = run(&["printf", "%s\n", "$HOME; \x1b[2J"], None);
        assert_eq!(outcome, Outcome::Done);
        assert_eq!(lines, ["$HOME; \\x1b[2J"]);
    }

    #[test]
    fn input_arrives_and_failures_are_told() {
        assert_eq!(run(&["cat"], Some("{}")).1, ["{}"]);
        let (outcome, _) = run(&["false"], None);
        assert_eq!(
            outcome,
            Outcome::Failed("it ended with exit code 1".to_owned())
        );
        let (outcome, lines) = run(&["/nonexistent/program"], None);
        assert_eq!(
            outcome,
            Outcome::Failed("it ended with exit code 127".to_owned())
        );
        assert!(lines[0].contains("/nonexistent/program"), "{lines:?}");
    }
}
