//! `history verify` and `history seal`: whether the record is what was written.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use saferun_protocol::{Anchor, ApiClient, Client, Integrity, MAX_ANCHORS, VerifyReport};
use serde::Serialize;

use super::{
    anchors, copy,
    journal::{self, Kept, Wanted},
    times::shown,
};
use crate::{
    args::{Global, VerifyArgs},
    daemon, exit,
    failure::Failure,
    ui::{self, Paint, json, one_line},
};

/// A key has 64 digits; what is much longer is none.
const LONGEST_KEY: u64 = 4096;

/// What the system journal had, and why it had nothing.
#[derive(Debug, Default, Serialize)]
struct JournalTold {
    links: usize,
    begun_ms: Option<i64>,
    /// Whether older links were not read.
    cut: bool,
    unreadable: Option<String>,
}

/// What was found; as `--json` prints it.
#[derive(Serialize)]
struct Compared {
    #[serde(flatten)]
    report: VerifyReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<JournalTold>,
    /// Older links that were not compared, because there were more than [`MAX_ANCHORS`].
    links_left_out: usize,
}

/// What is checked.
enum Subject<'run> {
    /// A copy, and how long that may take.
    Copy(&'run Path, Duration),
    /// The daemon's own record.
    Own(Client),
}

impl Subject<'_> {
    async fn held_against(
        &self,
        key: Option<String>,
        anchors: Vec<Anchor>,
    ) -> Result<VerifyReport, Failure> {
        match self {
            Self::Copy(copy, within) => copy::verify(copy, key, anchors, *within).await,
            Self::Own(client) => Ok(client.verify_history(key, Some(anchors)).await?),
        }
    }
}

/// Checks the record. Exit code 0 unless it is broken.
pub(crate) async fn verify(args: &VerifyArgs, global: &Global) -> Result<u8, Failure> {
    if args.database.is_some() && args.journal_directory.is_some() && args.journal_of.is_none() {
        return Err(Failure::usage(
            "--journal-directory says nothing of a copy alone: the journal knows records by their path",
            "name the path that the copy came from: --journal-of PATH",
        ));
    }
    let key = args.key.as_deref().map(read_key).transpose()?;
    let sealed = key.is_some();
    let mut given = args.at.clone();
    if let Some(path) = &args.at_file {
        given.extend(anchors::read(path)?);
    }
    let (subject, journal) = if let Some(copy) = &args.database {
        let journal = match &args.journal_of {
            Some(file) => Some(ask_journal(args, file, None).await),
            None => None,
        };
        let within = Duration::from_millis(args.within);
        (Subject::Copy(copy, within), journal)
    } else {
        let client = daemon::reach(global.may_start()).await?;
        let journal = if args.no_journal {
            None
        } else {
            Some(of_daemon(args, &client).await)
        };
        (Subject::Own(client), journal)
    };
    let compared = compared(&subject, key, given, journal).await?;
    if args.json {
        ui::line(json(&compared));
    } else {
        ui::out(text(&compared, sealed, Paint::stdout()));
    }
    Ok(match compared.report.verdict {
        Integrity::Broken => exit::NOT_OK,
        Integrity::Consistent | Integrity::Untampered => 0,
    })
}

/// Holds it against the links that were given and those of the journal since the record was begun. Where it is older than
/// the journal says that it was begun, it is broken, and the links before that count as well.
async fn compared(
    subject: &Subject<'_>,
    key: Option<String>,
    given: Vec<Anchor>,
    journal: Option<Result<Kept, String>>,
) -> Result<Compared, Failure> {
    let asked = journal.is_some();
    let (kept, unreadable) = match journal {
        Some(Ok(kept)) => (kept, None),
        Some(Err(why)) => (Kept::default(), Some(why)),
        None => (Kept::default(), None),
    };
    let mut belongs = kept.of(None);
    let (mut links, mut left_out) = together(given.clone(), belongs.anchors.clone());
    let mut report = subject.held_against(key.clone(), links).await?;
    if let Some((begun, first)) = kept.contradicts(report.first_ms).zip(report.first_ms) {
        belongs = kept.of(Some(first));
        (links, left_out) = together(given, belongs.anchors.clone());
        report = subject.held_against(key, links).await?;
        report.verdict = Integrity::Broken;
        let contradiction = format!(
            "the system journal says that the record was begun {}, but its first event is of {}: it was put back, or that line was written to hide earlier ones, or the clock was set back",
            shown(begun),
            shown(first)
        );
        report.problems.insert(0, contradiction);
    }
    Ok(Compared {
        report,
        journal: asked.then_some(JournalTold {
            links: belongs.anchors.len(),
            begun_ms: belongs.begun_ms,
            cut: kept.cut && belongs.begun_ms.is_none(),
            unreadable,
        }),
        links_left_out: left_out,
    })
}

/// What the journal has of the daemon's own record.
async fn of_daemon(args: &VerifyArgs, client: &Client) -> Result<Kept, String> {
    let head = client
        .history_head()
        .await
        .map_err(|error| Failure::from(error).message)?;
    let file = head
        .file
        .to_path()
        .ok_or("the daemon names no path of its record")?;
    ask_journal(args, &file, Some(head.uid)).await
}

async fn ask_journal(args: &VerifyArgs, file: &Path, uid: Option<u32>) -> Result<Kept, String> {
    let wanted = Wanted {
        file,
        uid,
        directory: args.journal_directory.as_deref(),
    };
    journal::read(&wanted).await
}

/// All links, the newest if they are too many: each stands for all before it. Says how many were left out.
fn together(mut given: Vec<Anchor>, journal: Vec<Anchor>) -> (Vec<Anchor>, usize) {
    given.extend(journal);
    given.sort_by(|one, other| (other.seq, &other.link).cmp(&(one.seq, &one.link)));
    given.dedup();
    let left_out = given.len().saturating_sub(MAX_ANCHORS);
    given.truncate(MAX_ANCHORS);
    (given, left_out)
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
    let shown = ui::path(path);
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

fn text(compared: &Compared, key_given: bool, paint: Paint) -> String {
    let report = &compared.report;
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
            "{}: chain and {} fit together",
            paint.good("consistent"),
            if report.dropped.is_none() {
                "content"
            } else {
                "the content that is left"
            }
        ),
        Integrity::Untampered => writeln!(
            out,
            "{}: nothing since the seal began was changed{}",
            paint.good("untampered"),
            if report.dropped.is_none() {
                " or removed"
            } else {
                ", and no entry was removed, but bodies were dropped"
            }
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
    if let Some(dropped) = &report.dropped {
        let _ = writeln!(
            out,
            "  {} bodies (code, input, output) of {} events up to event {} were dropped by retention on {}, by the record's own word in event {}: whoever could write to the record then could say so as well",
            dropped.bodies,
            dropped.events,
            dropped.up_to,
            shown(dropped.at_ms),
            dropped.said_by
        );
    }
    elsewhere(&mut out, compared);
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
fn elsewhere(out: &mut String, compared: &Compared) {
    // Writing to a String does not fail.
    if let Some(seq) = compared.report.anchored_to {
        let _ = writeln!(
            out,
            "  goes through links that were kept elsewhere, the last of event {seq}: nothing up to it was changed since"
        );
    }
    if compared.links_left_out > 0 {
        let _ = writeln!(
            out,
            "  {} older links were not compared: the newest {MAX_ANCHORS} are, and each stands for all before it",
            compared.links_left_out
        );
    }
    let Some(journal) = &compared.journal else {
        return;
    };
    let _ = match (&journal.unreadable, journal.links) {
        (Some(why), _) => writeln!(out, "  system journal: not read, {}", one_line(why)),
        (None, 0) => writeln!(
            out,
            "  system journal: no link of this record, or none that you may read"
        ),
        (None, links) => writeln!(out, "  system journal: {links} links of this record"),
    };
    if journal.cut {
        let _ = writeln!(out, "  system journal: older lines were not read");
    }
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

    fn report(verdict: Integrity, sealed_from: Option<u64>) -> Compared {
        let mut report = VerifyReport::new(verdict, 12, "ab".to_owned());
        report.sealed_from = sealed_from;
        Compared {
            report,
            journal: None,
            links_left_out: 0,
        }
    }

    #[test]
    fn nothing_is_called_untampered_that_was_not_checked_against_a_seal() {
        let shown = |verdict, from, key| text(&report(verdict, from), key, Paint::plain());
        let consistent = shown(Integrity::Consistent, None, false);
        assert!(consistent.starts_with("consistent: ") && consistent.contains("not sealed"));
        let unchecked = shown(Integrity::Consistent, Some(4), false);
        assert!(unchecked.contains("not checked against it"), "{unchecked}");
        assert!(!consistent.contains("untampered") && !unchecked.contains("untampered"));
        let sealed = shown(Integrity::Untampered, Some(4), true);
        assert!(sealed.starts_with("untampered: ") && sealed.contains("sealed from event 4 on"));
    }

    #[test]
    fn what_retention_dropped_is_told_and_the_verdict_does_not_speak_of_it() {
        for verdict in [Integrity::Untampered, Integrity::Consistent] {
            let mut less = report(verdict, Some(4));
            less.report.dropped = Some(saferun_protocol::DroppedBodies {
                bodies: 30,
                events: 15,
                up_to: 95,
                said_by: 97,
                at_ms: 0,
            });
            let shown = text(&less, true, Paint::plain());
            for part in [
                "30 bodies",
                "of 15 events up to event 95",
                "retention on 19",
                "in event 97",
            ] {
                assert!(shown.contains(part), "{part} in {shown}");
            }
            for claim in ["changed or removed", "chain and content fit"] {
                assert!(!shown.contains(claim), "{shown}");
            }
        }
    }

    #[test]
    fn links_from_elsewhere_are_told_and_say_up_to_where_they_speak() {
        let mut anchored = report(Integrity::Consistent, None);
        anchored.report.anchored_to = Some(9);
        anchored.links_left_out = 5;
        anchored.journal = Some(JournalTold {
            links: 3,
            begun_ms: Some(0),
            cut: true,
            unreadable: None,
        });
        let shown = text(&anchored, false, Paint::plain());
        for part in [
            "the last of event 9",
            "3 links of this record",
            "was begun 19",
            "made what comes after event 9 anew",
            "5 older links were not compared",
            "older lines were not read",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        anchored.journal = Some(JournalTold {
            unreadable: Some("no\u{1b}thing".to_owned()),
            ..JournalTold::default()
        });
        let shown = text(&anchored, false, Paint::plain());
        assert!(shown.contains("not read, no\\x1bthing"), "{shown}");
    }

    #[test]
    fn the_newest_links_are_sent_each_once_and_those_left_out_are_counted() {
        let anchor = |seq| Anchor {
            seq,
            link: String::new(),
        };
        let last = 2 * MAX_ANCHORS as u64;
        let journal = (1..=last).rev().map(anchor).collect();
        let (both, left_out) = together(vec![anchor(1), anchor(last)], journal);
        assert_eq!((both.len(), left_out), (MAX_ANCHORS, MAX_ANCHORS));
        assert_eq!((both[0].seq, both[1].seq), (last, last - 1));
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
