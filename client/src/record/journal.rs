//! Links of the record that the daemon told the system journal, read back by `journalctl`: others than the record's owner
//! keep them there.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::Stdio,
    time::Duration,
};

use saferun_protocol::Anchor;
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
    time::timeout,
};

use super::anchors::anchor;

/// How long `journalctl` may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Links that are taken, the newest: each stands for all before it.
const MOST: usize = 500;
/// Most that is read of its output, in bytes.
const LONGEST: u64 = 4 << 20;

/// Where to look for what.
pub(super) struct Wanted<'run> {
    /// The record, on the machine that wrote it.
    pub(super) file: &'run Path,
    /// Who must have told it; anybody, where that is not known.
    pub(super) uid: Option<u32>,
    /// Folder of journal files instead of this machine's own.
    pub(super) directory: Option<&'run Path>,
}

/// What the journal has of a record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// The newest links, the newest first.
    pub(super) anchors: Vec<Anchor>,
    /// When the record was begun, in milliseconds since 1970, if the journal goes back to that.
    pub(super) begun_ms: Option<i64>,
}

/// An entry, as `journalctl --output=json` writes it; what is no text there is left out.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "SAFERUN_AUDIT_SEQ", default)]
    seq: serde_json::Value,
    #[serde(rename = "SAFERUN_AUDIT_LINK", default)]
    link: serde_json::Value,
    #[serde(rename = "SAFERUN_AUDIT_BEGUN", default)]
    begun: serde_json::Value,
    #[serde(rename = "__REALTIME_TIMESTAMP", default)]
    at_us: serde_json::Value,
}

/// Reads what the journal has.
///
/// # Errors
/// Why it could not be read, in a few words.
pub(super) async fn read(wanted: &Wanted<'_>) -> Result<Kept, String> {
    match timeout(PATIENCE, ask(wanted)).await {
        Ok(kept) => kept,
        Err(_) => Err(format!(
            "journalctl took more than {} s",
            PATIENCE.as_secs()
        )),
    }
}

async fn ask(wanted: &Wanted<'_>) -> Result<Kept, String> {
    let mut child = Command::new("journalctl")
        .args(arguments(wanted))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("journalctl cannot be started: {error}"))?;
    let mut kept = Kept::default();
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout.take(LONGEST)).lines();
        while kept.anchors.len() < MOST && kept.begun_ms.is_none() {
            match lines.next_line().await {
                Ok(Some(line)) => kept.add(&line),
                Ok(None) => break,
                Err(error) => return Err(format!("journalctl cannot be read: {error}")),
            }
        }
        if kept.anchors.len() == MOST || kept.begun_ms.is_some() {
            // Enough: it need not come to its end.
            return Ok(kept);
        }
    }
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        let _ = stderr.take(2000).read_to_string(&mut said).await;
    }
    let status = child.wait().await.map_err(|error| error.to_string())?;
    // With nothing to show it ends with 1 and no word.
    if !status.success() && !said.trim().is_empty() {
        return Err(format!("journalctl said: {}", said.trim()));
    }
    Ok(kept)
}

fn arguments(wanted: &Wanted<'_>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = [
        "--output=json",
        "--output-fields=SAFERUN_AUDIT_SEQ,SAFERUN_AUDIT_LINK,SAFERUN_AUDIT_BEGUN",
        "--no-pager",
        "--quiet",
        "--reverse",
    ]
    .map(OsString::from)
    .to_vec();
    if let Some(directory) = wanted.directory {
        arguments.push(joined("--directory=", directory.as_os_str()));
    }
    arguments.push("SYSLOG_IDENTIFIER=saferund".into());
    arguments.push(joined("SAFERUN_AUDIT_FILE=", wanted.file.as_os_str()));
    arguments.extend(wanted.uid.map(|uid| format!("_UID={uid}").into()));
    arguments
}

fn joined(name: &str, value: &OsStr) -> OsString {
    let mut joined = OsString::from(name);
    joined.push(value);
    joined
}

impl Kept {
    /// Takes the next older entry; what is none of ours is left out.
    fn add(&mut self, line: &str) {
        let Ok(entry) = serde_json::from_str::<Entry>(line) else {
            return;
        };
        if entry.begun.is_string() {
            let micros = entry
                .at_us
                .as_str()
                .and_then(|text| text.parse::<i64>().ok());
            self.begun_ms = Some(micros.unwrap_or_default() / 1000);
        } else if let (Some(seq), Some(link)) = (entry.seq.as_str(), entry.link.as_str()) {
            self.anchors.extend(anchor(&format!("{seq}:{link}")).ok());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_taken_until_the_record_begins_and_rubbish_is_left_out() {
        let mut kept = Kept::default();
        let link = "ab".repeat(32);
        for line in [
            "no JSON".to_owned(),
            format!(
                r#"{{"SAFERUN_AUDIT_SEQ":"7","SAFERUN_AUDIT_LINK":"{link}","__REALTIME_TIMESTAMP":"5"}}"#
            ),
            format!(r#"{{"SAFERUN_AUDIT_SEQ":["7","8"],"SAFERUN_AUDIT_LINK":"{link}"}}"#),
            r#"{"SAFERUN_AUDIT_SEQ":"7","SAFERUN_AUDIT_LINK":"short"}"#.to_owned(),
            r#"{"SAFERUN_AUDIT_LINK":null}"#.to_owned(),
            r#"{"SAFERUN_AUDIT_BEGUN":"1","__REALTIME_TIMESTAMP":"1795765763053354"}"#.to_owned(),
        ] {
            kept.add(&line);
        }
        assert_eq!(kept.anchors, [Anchor { seq: 7, link }]);
        assert_eq!(kept.begun_ms, Some(1_795_765_763_053));
    }

    #[test]
    fn only_entries_of_this_record_by_its_owner_are_asked_for() {
        let wanted = Wanted {
            file: Path::new("/state/audit.sqlite"),
            uid: Some(7),
            directory: Some(Path::new("/j")),
        };
        let arguments = arguments(&wanted);
        let last = &arguments[arguments.len() - 4..];
        assert_eq!(
            last,
            [
                "--directory=/j",
                "SYSLOG_IDENTIFIER=saferund",
                "SAFERUN_AUDIT_FILE=/state/audit.sqlite",
                "_UID=7"
            ]
        );
    }
}
