//! A verification of a copy of the record, by the daemon's program: it knows the record, and this one has no database.

use std::{
    io::{self, IsTerminal},
    path::Path,
    process::Stdio,
    time::Duration,
};

use saferun_protocol::{Anchor, VerifyReport};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Command,
    time::timeout,
};

use crate::{
    daemon,
    failure::Failure,
    ui::{self, Progress, one_line},
};

/// Most that the program which looks at a copy may say, in bytes.
const LONGEST_REPORT: u64 = 1 << 20;
/// What that program may take beyond the time that it was given.
const GRACE: Duration = Duration::from_secs(10);

/// Checks it. No daemon needs to run, and the one that does is not asked. The key goes through a pipe.
pub(super) async fn verify(
    copy: &Path,
    key: Option<String>,
    anchors: Vec<Anchor>,
    within: Duration,
) -> Result<VerifyReport, Failure> {
    let shown = ui::path(copy);
    let cannot = |reason: &str| {
        Failure::failed(
            format!("cannot verify {shown}: {}", one_line(reason.trim())),
            "name a copy of audit.sqlite with its audit.head beside it",
        )
    };
    let against = serde_json::json!({
        "key": key, "anchors": anchors, "within_ms": u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
    });
    let mut child = Command::new(daemon::find_daemon()?)
        .args(["verify", "--against-on-stdin", "--"])
        .arg(copy)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| cannot(&error.to_string()))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(cannot("its pipes are missing"));
    };
    let talk = async {
        // One that ended before says so on its standard error.
        let _ = stdin.write_all(against.to_string().as_bytes()).await;
        drop(stdin);
        let mut report = Vec::new();
        let mut stdout = stdout.take(LONGEST_REPORT);
        let (read, said) = tokio::join!(stdout.read_to_end(&mut report), follow(stderr));
        read?;
        Ok::<_, io::Error>((report, said, child.wait().await?))
    };
    let (report, said, status) = timeout(within.saturating_add(GRACE), talk)
        .await
        .map_err(|_| cannot("it took longer than --within allows"))?
        .map_err(|error| cannot(&error.to_string()))?;
    if !status.success() {
        return Err(cannot(&said));
    }
    serde_json::from_slice(&report).map_err(|error| cannot(&error.to_string()))
}

/// Shows how far it is to a person at a terminal; gives what else was said.
async fn follow(stderr: impl tokio::io::AsyncRead + Unpin) -> String {
    let progress = io::stderr().is_terminal().then(|| Progress::new(false));
    let mut lines = BufReader::new(stderr.take(LONGEST_REPORT)).lines();
    let mut said = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let numbers = line.strip_prefix("progress ").and_then(|rest| {
            let (done, all) = rest.split_once(' ')?;
            Some((done.parse().ok()?, all.parse().ok()?))
        });
        match (numbers, &progress) {
            (Some((done, all)), Some(progress)) => progress.step("events looked at", done, all),
            (Some(_), None) => {}
            (None, _) => said.push_str(&line),
        }
    }
    if let Some(progress) = progress {
        progress.end();
    }
    said
}
