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
/// Lines that are taken, the newest: each link stands for all before it, and a week of them is more than whoever put a
/// record back can have filled with new ones unseen.
const MOST: usize = 10_000;
/// Most that is read of its output, in bytes.
const LONGEST: u64 = 16 << 20;
/// How much later than the first event the journal may have put down that the record was begun, in milliseconds: it
/// may have been busy or away. Who writes such a line himself hides no more by it than what came within this time.
const LATE: i64 = 5_000;

/// Where to look for what.
pub(super) struct Wanted<'run> {
    /// The record, on the machine that wrote it.
    pub(super) file: &'run Path,
    /// Who must have told it; anybody, where that is not known.
    pub(super) uid: Option<u32>,
    /// Folder of journal files instead of this machine's own.
    pub(super) directory: Option<&'run Path>,
}

/// What the journal says.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// The last link at that time.
    Link(Anchor),
    /// A record was begun, at this time of the journal's own, in milliseconds since 1970.
    Begun(i64),
}

/// What the journal has of the records at a path, the newest first.
#[derive(Debug, Default)]
pub(super) struct Kept {
    lines: Vec<Line>,
    /// Whether older lines were left out.
    pub(super) cut: bool,
}

/// What of it belongs to one record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Belongs {
    /// The links, the newest first.
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
    let mut kept = Kept::default();
    match timeout(PATIENCE, ask(wanted, &mut kept)).await {
        Ok(done) => done.map(|()| kept),
        // The newest come first: what came in time is compared.
        Err(_) if !kept.lines.is_empty() => {
            kept.cut = true;
            Ok(kept)
        }
        Err(_) => Err(format!(
            "journalctl took more than {} s",
            PATIENCE.as_secs()
        )),
    }
}

async fn ask(wanted: &Wanted<'_>, kept: &mut Kept) -> Result<(), String> {
    let mut child = Command::new("journalctl")
        .args(arguments(wanted))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("journalctl cannot be started: {error}"))?;
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout.take(LONGEST)).lines();
        while kept.lines.len() < MOST {
            match lines.next_line().await {
                Ok(Some(line)) => kept.add(&line),
                Ok(None) => break,
                Err(error) => return Err(format!("journalctl cannot be read: {error}")),
            }
        }
        kept.cut = kept.lines.len() == MOST || lines.get_ref().get_ref().limit() == 0;
        if kept.cut {
            // Enough: it need not come to its end.
            return Ok(());
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
    Ok(())
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
            let micros = entry.at_us.as_str().and_then(|text| text.parse().ok());
            self.lines
                .extend(micros.map(|micros: i64| Line::Begun(micros / 1000)));
        } else if let (Some(seq), Some(link)) = (entry.seq.as_str(), entry.link.as_str()) {
            let anchor = anchor(&format!("{seq}:{link}"));
            self.lines.extend(anchor.ok().map(Line::Link));
        }
    }

    /// What belongs to a record whose first event is of this time: all since the newest line about a beginning that can
    /// be its own. Without a time the newest such line is believed.
    pub(super) fn of(&self, first_ms: Option<i64>) -> Belongs {
        let mut found = Belongs::default();
        for line in &self.lines {
            match line {
                Line::Link(anchor) => found.anchors.push(anchor.clone()),
                Line::Begun(at) if first_ms.is_none_or(|first| !is_later(*at, first)) => {
                    found.begun_ms = Some(*at);
                    break;
                }
                Line::Begun(_) => {}
            }
        }
        found
    }

    /// When, by the journal, the newest record was begun, if that is later than this record's first event: then either
    /// this is not that record, or the line was written to hide the links before it.
    pub(super) fn contradicts(&self, first_ms: Option<i64>) -> Option<i64> {
        let newest = self.lines.iter().find_map(|line| match line {
            Line::Begun(at) => Some(*at),
            Line::Link(_) => None,
        })?;
        is_later(newest, first_ms?).then_some(newest)
    }
}

fn is_later(begun_ms: i64, first_ms: i64) -> bool {
    begun_ms.saturating_sub(LATE) > first_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_taken_and_rubbish_is_left_out() {
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
            r#"{"SAFERUN_AUDIT_BEGUN":"1","__REALTIME_TIMESTAMP":"soon"}"#.to_owned(),
        ] {
            kept.add(&line);
        }
        let link = Line::Link(Anchor { seq: 7, link });
        assert_eq!(kept.lines, [link, Line::Begun(1_795_765_763_053)]);
    }

    #[test]
    fn a_line_about_a_beginning_hides_no_link_of_a_record_that_is_older() {
        let link = |seq| Anchor {
            seq,
            link: String::new(),
        };
        let day = 86_400_000;
        let kept = Kept {
            lines: vec![
                Line::Link(link(3)),
                Line::Begun(2 * day),
                Line::Link(link(9)),
                Line::Begun(day),
                Line::Link(link(40)),
            ],
            cut: false,
        };
        let belongs = |seqs: &[u64], begun_ms| Belongs {
            anchors: seqs.iter().map(|seq| link(*seq)).collect(),
            begun_ms,
        };
        // One that was begun when the journal says so, give or take what the journal may be late.
        for first in [None, Some(2 * day), Some(2 * day + 7), Some(2 * day - LATE)] {
            assert_eq!(kept.of(first), belongs(&[3], Some(2 * day)));
            assert_eq!(kept.contradicts(first), None);
        }
        for first in [2 * day - LATE - 1, day] {
            assert_eq!(kept.of(Some(first)), belongs(&[3, 9], Some(day)));
            assert_eq!(kept.contradicts(Some(first)), Some(2 * day));
        }
        assert_eq!(kept.of(Some(i64::MIN)), belongs(&[3, 9, 40], None));
        assert_eq!(Kept::default().contradicts(Some(0)), None);
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
