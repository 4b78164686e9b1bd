//! `history verify` and `history seal`: whether the record is what was written.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, IsTerminal, Read},
    path::Path,
    process::Stdio,
    time::Duration,
};

use saferun_protocol::{Anchor, ApiClient, Client, Integrity, MAX_ANCHORS, VerifyReport};
use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Command,
    time::timeout,
};

use super::{
    anchors,
    journal::{self, Kept, Wanted},
    times::shown,
};
use crate::{
    args::{Global, VerifyArgs},
    daemon, exit,
    failure::Failure,
    ui::{self, Paint, Progress, json, one_line},
};

/// A key has 64 digits; what is much longer is none.
const LONGEST_KEY: u64 = 4096;
/// Most that the program which looks at a copy may say, in bytes.
const LONGEST_REPORT: u64 = 1 << 20;
/// What that program may take beyond the time that it was given.
const GRACE: Duration = Duration::from_secs(10);

/// What the system journal had, and why it had nothing.
#[derive(Debug, Default, Serialize)]
struct JournalTold {
    links: usize,
    begun_ms: Option<i64>,
    unreadable: Option<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'run> {
    #[serde(flatten)]
    report: &'run VerifyReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<&'run JournalTold>,
}

/// Checks the record. Exit code 0 unless it is broken.
pub(crate) async fn verify(args: &VerifyArgs, global: &Global) -> Result<u8, Failure> {
    let key = args.key.as_deref().map(read_key).transpose()?;
    let sealed = key.is_some();
    let mut given = args.at.clone();
    if let Some(path) = &args.at_file {
        given.extend(anchors::read(path)?);
    }
    let (report, journal) = if let Some(copy) = &args.database {
        let journal = match &args.journal_of {
            Some(file) => Some(ask_journal(args, file, None).await),
            None => None,
        };
        let given = together(given, journal.as_ref());
        let report = verify_copy(copy, key, given, Duration::from_millis(args.within)).await?;
        (report, journal)
    } else {
        let client = daemon::reach(global.may_start()).await?;
        let journal = if args.no_journal {
            None
        } else {
            of_daemon(args, &client).await
        };
        let given = together(given, journal.as_ref());
        (client.verify_history(key, Some(given)).await?, journal)
    };
    let journal = journal.map(|(_, told)| told);
    if args.json {
        let journal = journal.as_ref();
        ui::line(json(&Told {
            report: &report,
            journal,
        }));
    } else {
        ui::out(text(&report, sealed, journal.as_ref(), Paint::stdout()));
    }
    Ok(match report.verdict {
        Integrity::Broken => exit::NOT_OK,
        Integrity::Consistent | Integrity::Untampered => 0,
    })
}

/// What the journal has of the daemon's own record. A daemon whose record cannot be used says so when it is verified.
async fn of_daemon(args: &VerifyArgs, client: &Client) -> Option<(Kept, JournalTold)> {
    let head = client.history_head().await.ok()?;
    let file = head.file.to_path()?;
    Some(ask_journal(args, &file, Some(head.uid)).await)
}

async fn ask_journal(args: &VerifyArgs, file: &Path, uid: Option<u32>) -> (Kept, JournalTold) {
    let wanted = Wanted {
        file,
        uid,
        directory: args.journal_directory.as_deref(),
    };
    let mut told = JournalTold::default();
    let kept = journal::read(&wanted).await.unwrap_or_else(|why| {
        told.unreadable = Some(why);
        Kept::default()
    });
    told.links = kept.anchors.len();
    told.begun_ms = kept.begun_ms;
    (kept, told)
}

/// All links, the newest if they are too many: each stands for all before it.
fn together(mut given: Vec<Anchor>, journal: Option<&(Kept, JournalTold)>) -> Vec<Anchor> {
    given.extend(
        journal
            .into_iter()
            .flat_map(|(kept, _)| kept.anchors.clone()),
    );
    given.sort_by_key(|anchor| std::cmp::Reverse(anchor.seq));
    given.dedup();
    given.truncate(MAX_ANCHORS);
    given
}

/// Has the daemon's program look at a copy, since it knows the record and this one has no database. No daemon needs
/// to run, and the one that does is not asked. The key goes through a pipe.
async fn verify_copy(
    copy: &Path,
    key: Option<String>,
    anchors: Vec<Anchor>,
    within: Duration,
) -> Result<VerifyReport, Failure> {
    let shown = one_line(&copy.display().to_string());
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

/// Begins a seal; the key goes to standard output and nowhere else.
pub(crate) async fn seal(as_json: bool, global: &Global) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let sealed = client.seal_history().await?;
    if as_json {
        ui::line(json(&sealed));
        return Ok(0);
    }
    ui::line(one_line(&sealed.key));
    ui::note(format!(
        "This key verifies the record from event {} on. It is shown this once and kept nowhere.\n\
         Keep it where the user of the daemon cannot write: saferunctl history verify --key FILE",
        sealed.from
    ));
    Ok(0)
}

/// A key is no argument: others on the machine can read those.
fn read_key(path: &Path) -> Result<String, Failure> {
    let read = |reader: &mut dyn Read| {
        let mut text = String::new();
        reader
            .take(LONGEST_KEY)
            .read_to_string(&mut text)
            .map(|_| text)
    };
    let text = if path.as_os_str() == "-" {
        read(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| read(&mut file))
    };
    let shown = one_line(&path.display().to_string());
    let text = text.map_err(|error| {
        Failure::usage(
            format!("cannot read the key in {shown}: {error}"),
            "check the path",
        )
    })?;
    let key = text.trim();
    if key.len() != 64 || !key.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Failure::usage(
            format!(
                "{shown} holds no key: it must be the 64 hexadecimal digits that `saferunctl history seal` showed"
            ),
            "a lost key cannot be shown again; begin a new seal for the runs to come",
        ));
    }
    Ok(key.to_owned())
}

fn text(
    report: &VerifyReport,
    key_given: bool,
    journal: Option<&JournalTold>,
    paint: Paint,
) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = match report.verdict {
        Integrity::Broken => writeln!(
            out,
            "{}: something in the record was changed, removed, added or re-ordered",
            paint.bad("broken")
        ),
        Integrity::Consistent => writeln!(
            out,
            "{}: chain and content fit together",
            paint.good("consistent")
        ),
        Integrity::Untampered => writeln!(
            out,
            "{}: nothing since the seal began was changed or removed",
            paint.good("untampered")
        ),
    };
    for problem in &report.problems {
        let _ = writeln!(out, "  {}", one_line(problem));
    }
    let _ = writeln!(
        out,
        "  {} events, last link {}",
        report.events,
        one_line(&report.head)
    );
    elsewhere(&mut out, report, journal);
    let _ = match (report.verdict, report.sealed_from) {
        (Integrity::Broken, _) => writeln!(
            out,
            "  keep a copy of the file as it is now, before anything else is written to it"
        ),
        (_, Some(from)) if key_given => writeln!(out, "  sealed from event {from} on"),
        (_, Some(from)) => writeln!(
            out,
            "  sealed from event {from} on, but not checked against it: give the key with --key FILE"
        ),
        (_, None) => {
            let what = report.anchored_to.map_or_else(
                || "it".to_owned(),
                |seq| format!("what comes after event {seq}"),
            );
            writeln!(
                out,
                "  not sealed: who owns the file could have made {what} anew; `saferunctl history seal` begins a seal"
            )
        }
    };
    out
}

/// What links that were kept elsewhere say, and which there were.
fn elsewhere(out: &mut String, report: &VerifyReport, journal: Option<&JournalTold>) {
    // Writing to a String does not fail.
    if let Some(seq) = report.anchored_to {
        let _ = writeln!(
            out,
            "  goes through links that were kept elsewhere, the last of event {seq}: nothing up to it was changed since"
        );
    }
    let Some(journal) = journal else { return };
    let _ = match (&journal.unreadable, journal.links) {
        (Some(why), _) => writeln!(out, "  system journal: not read, {}", one_line(why)),
        (None, 0) => writeln!(
            out,
            "  system journal: no link of this record, or none that you may read"
        ),
        (None, links) => writeln!(out, "  system journal: {links} links of this record"),
    };
    if let Some(begun) = journal.begun_ms {
        let _ = writeln!(
            out,
            "  system journal: this record was begun {}; if you know of an earlier one, it was moved away or replaced",
            shown(begun)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdict: Integrity, sealed_from: Option<u64>) -> VerifyReport {
        let mut report = VerifyReport::new(verdict, 12, "ab".to_owned());
        report.sealed_from = sealed_from;
        report
    }

    #[test]
    fn nothing_is_called_untampered_that_was_not_checked_against_a_seal() {
        let shown = |verdict, from, key| text(&report(verdict, from), key, None, Paint::plain());
        let consistent = shown(Integrity::Consistent, None, false);
        assert!(consistent.starts_with("consistent: ") && consistent.contains("not sealed"));
        let unchecked = shown(Integrity::Consistent, Some(4), false);
        assert!(unchecked.contains("not checked against it"), "{unchecked}");
        assert!(!consistent.contains("untampered") && !unchecked.contains("untampered"));
        let sealed = shown(Integrity::Untampered, Some(4), true);
        assert!(sealed.starts_with("untampered: ") && sealed.contains("sealed from event 4 on"));
    }

    #[test]
    fn links_from_elsewhere_are_told_and_say_up_to_where_they_speak() {
        let mut anchored = report(Integrity::Consistent, None);
        anchored.anchored_to = Some(9);
        let journal = JournalTold {
            links: 3,
            begun_ms: Some(0),
            unreadable: None,
        };
        let shown = text(&anchored, false, Some(&journal), Paint::plain());
        for part in [
            "the last of event 9",
            "3 links of this record",
            "was begun 19",
            "made what comes after event 9 anew",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        let unread = JournalTold {
            unreadable: Some("no\u{1b}thing".to_owned()),
            ..JournalTold::default()
        };
        let shown = text(&anchored, false, Some(&unread), Paint::plain());
        assert!(shown.contains("not read, no\\x1bthing"), "{shown}");
    }

    #[test]
    fn the_newest_links_are_sent_and_each_once() {
        let anchor = |seq| Anchor {
            seq,
            link: String::new(),
        };
        let kept = Kept {
            anchors: (500..2000).rev().map(anchor).collect(),
            begun_ms: None,
        };
        let both = together(
            vec![anchor(1), anchor(1999)],
            Some(&(kept, JournalTold::default())),
        );
        assert_eq!(both.len(), MAX_ANCHORS);
        assert_eq!((both[0].seq, both[1].seq), (1999, 1998));
    }

    #[test]
    fn a_key_is_64_digits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, format!("{}\n", "aB".repeat(32))).unwrap();
        assert_eq!(read_key(&path).unwrap(), "aB".repeat(32));
        std::fs::write(&path, "zz".repeat(32)).unwrap();
        assert_eq!(read_key(&path).unwrap_err().exit, 2);
        assert_eq!(read_key(&folder.path().join("none")).unwrap_err().exit, 2);
    }
}
