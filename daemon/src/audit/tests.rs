//! The record on a real file: it verifies, and every change from outside is found.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use saferun_protocol::{
    Anchor, ClientKind, HistoryQuery, Integrity, Outcome, Risk, RunResult, VerifyReport,
};

use super::{
    entry::{EndHead, StartHead},
    herald::Herald,
    store::Store,
    *,
};

mod copies;
mod writing;

fn start(id: &str, uid: u32) -> NewEvent {
    let head = StartHead {
        client: ClientKind::Terminal,
        file_name: format!("{id}.py"),
        code_sha256: chain::hex(&chain::digest(b"print()")),
        risk: Risk::Low,
        rules: Vec::new(),
        policy: "default".to_owned(),
        policy_hash: String::new(),
        verdict: "Allow".to_owned(),
        overridden: false,
        override_reason: None,
        image: String::new(),
        args: String::new(),
        source_exact: true,
        redactions: 0,
        bodies: std::collections::BTreeMap::default(),
    };
    head.event(id.to_owned(), uid, 1000, vec![("source", vec![b'x'; 2000])])
}

fn end(id: &str, uid: u32) -> NewEvent {
    let mut head = EndHead::interrupted();
    head.outcome = Outcome::Completed;
    let result = RunResult::new(id.to_owned(), Outcome::Completed, String::new());
    let result = serde_json::to_vec(&result).unwrap();
    head.event(
        id.to_owned(),
        uid,
        2000,
        vec![("result", result), ("stdout", b"hi\n".to_vec())],
    )
}

fn opened(path: &Path, now_ms: i64) -> Result<Store, AuditError> {
    let mut store = Store::open(path, now_ms, Herald::new(None, path))?;
    let closed = store.close_interrupted(now_ms);
    closed.map_err(|error| store.error(&error))?;
    Ok(store)
}

struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Fixture {
    /// A record of this many whole runs.
    fn with(runs: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.sqlite");
        let mut store = opened(&path, 0).unwrap();
        for run in 0..runs {
            let id = format!("run{run:02}");
            store
                .append(&[start(&id, run % 2), end(&id, run % 2)])
                .unwrap();
        }
        Self {
            _folder: folder,
            path,
        }
    }

    fn audit(&self) -> Audit {
        Audit {
            commands: mpsc::channel(1).0,
            path: Arc::new(self.path.clone()),
            problem: Arc::default(),
            late: watch::Sender::default(),
        }
    }

    fn verdict(&self, key: Option<&str>) -> (Integrity, Vec<String>) {
        let report = self.verified(key, &[]);
        (report.verdict, report.problems)
    }

    fn verified(&self, key: Option<&str>, anchors: &[Anchor]) -> VerifyReport {
        let report = self.audit().verify(key, anchors).unwrap();
        // A copy is judged as the daemon judges its own.
        let against = CopyCheck {
            key: key.map(str::to_owned),
            anchors: anchors.to_vec(),
            ..CopyCheck::default()
        };
        assert_eq!(
            verify_copy(&self.path, &against, &mut |_, _| ()).unwrap(),
            report
        );
        report
    }

    /// The link of an event, as somebody keeps it elsewhere.
    fn anchor(&self, seq: u64) -> Anchor {
        let link: Vec<u8> = Connection::open(&self.path)
            .unwrap()
            .query_row("SELECT hash FROM events WHERE seq=?1", [seq], |row| {
                row.get(0)
            })
            .unwrap();
        let link = chain::hex(&link);
        Anchor { seq, link }
    }

    fn tamper(&self, sql: &str) {
        let connection = Connection::open(&self.path).unwrap();
        connection
            .execute_batch(&format!(
                "DROP TRIGGER IF EXISTS events_are_never_changed; DROP TRIGGER IF EXISTS events_are_never_removed; {sql}"
            ))
            .unwrap();
    }
}

#[test]
fn an_untouched_record_is_consistent_and_says_no_more_than_that_without_a_seal() {
    let fixture = Fixture::with(4);
    assert_eq!(fixture.verdict(None), (Integrity::Consistent, Vec::new()));
}

#[test]
fn every_change_of_the_file_is_found() {
    for sql in [
        "UPDATE events SET at_ms=5 WHERE seq=3",
        "UPDATE events SET head=replace(head, 'run01', 'other') WHERE seq=3",
        "UPDATE events SET uid=9 WHERE seq=8",
        "UPDATE events SET hash=zeroblob(32) WHERE seq=4",
        "DELETE FROM events WHERE seq=4",
        "DELETE FROM events WHERE seq>6",
        "DELETE FROM events WHERE seq=1",
        "INSERT INTO events SELECT 9, 'new', uid, kind, at_ms, head, hash, tag FROM events WHERE seq=8",
        "UPDATE events SET seq=99 WHERE seq=3; UPDATE events SET seq=3 WHERE seq=5; UPDATE events SET seq=5 WHERE seq=99",
        "UPDATE bodies SET data=x'00' WHERE seq=2 AND name='stdout'",
        "UPDATE bodies SET deflated=0 WHERE seq=1",
        "DELETE FROM bodies WHERE seq=2",
        "INSERT INTO bodies VALUES(2, 'extra', 0, x'00')",
        "INSERT INTO bodies VALUES(77, 'extra', 0, x'00')",
        "UPDATE words SET text='nothing' WHERE seq=3",
        "DELETE FROM words WHERE seq=3",
        "INSERT INTO words VALUES(99, 1, 'more')",
        "UPDATE words SET start=5 WHERE seq=3",
    ] {
        let fixture = Fixture::with(4);
        fixture.tamper(sql);
        let (verdict, problems) = fixture.verdict(None);
        assert_eq!(verdict, Integrity::Broken, "{sql}");
        assert!(!problems.is_empty(), "{sql}");
    }
}

#[test]
fn a_cut_tail_stays_found_after_the_next_start() {
    let fixture = Fixture::with(4);
    fixture.tamper("DELETE FROM events WHERE seq>6; DELETE FROM bodies WHERE seq>6");
    let mut store = opened(&fixture.path, 5).unwrap();
    store.append(&[start("later", 0), end("later", 0)]).unwrap();
    let (verdict, problems) = fixture.verdict(None);
    assert_eq!(verdict, Integrity::Broken);
    assert!(
        problems[0].contains("event 8 had been written"),
        "{problems:?}"
    );
}

#[test]
fn the_seal_says_untampered_and_finds_a_past_that_was_made_to_fit() {
    let fixture = Fixture::with(1);
    let key = [9; 32];
    {
        let mut store = opened(&fixture.path, 0).unwrap();
        store.seal(key, 0).unwrap();
        store
            .append(&[start("sealed", 0), end("sealed", 0)])
            .unwrap();
    }
    // Over a restart too.
    let mut store = opened(&fixture.path, 0).unwrap();
    store.append(&[start("again", 0), end("again", 0)]).unwrap();
    drop(store);
    let key = chain::hex(&key);
    assert_eq!(
        fixture.verdict(Some(&key)),
        (Integrity::Untampered, Vec::new())
    );
    assert_eq!(fixture.verdict(None).0, Integrity::Consistent);
    assert_eq!(fixture.verdict(Some(&"00".repeat(32))).0, Integrity::Broken);
    // Who owns the files cuts the last run off and makes chain and head file fit again; only the key cannot be.
    fixture.tamper(
        "DELETE FROM events WHERE seq>5; DELETE FROM bodies WHERE seq>5; DELETE FROM words WHERE seq>5",
    );
    let connection = Connection::open(&fixture.path).unwrap();
    let hash: Vec<u8> = connection
        .query_row("SELECT hash FROM events WHERE seq=5", [], |row| row.get(0))
        .unwrap();
    let mut file = head::HeadFile::open(&fixture.path.with_extension("head")).unwrap();
    let mut head = file.read().unwrap();
    (head.seq, head.link) = (5, hash.try_into().unwrap());
    file.write(&head, false).unwrap();
    assert_eq!(fixture.verdict(None).0, Integrity::Consistent);
    assert_eq!(fixture.verdict(Some(&key)).0, Integrity::Broken);
    // Nor does it help to name an earlier event as the last, the seal's own or one before it.
    for seq in (0..5_u64).rev() {
        let link: Option<Vec<u8>> = connection
            .query_row("SELECT hash FROM events WHERE seq=?1", [seq], |row| {
                row.get(0)
            })
            .ok();
        for link in [link, Some(vec![0; 32])].into_iter().flatten() {
            (head.seq, head.link) = (seq, link.try_into().unwrap());
            file.write(&head, false).unwrap();
            assert_eq!(fixture.verdict(Some(&key)).0, Integrity::Broken, "{seq}");
        }
    }
}

#[test]
fn a_record_that_ends_with_the_seal_is_untampered() {
    let fixture = Fixture::with(1);
    let key = [9; 32];
    let mut store = opened(&fixture.path, 0).unwrap();
    store.seal(key, 0).unwrap();
    drop(store);
    let key = chain::hex(&key);
    assert_eq!(
        fixture.verdict(Some(&key)),
        (Integrity::Untampered, Vec::new())
    );
    assert_eq!(fixture.verdict(Some(&"00".repeat(32))).0, Integrity::Broken);
}

#[test]
fn a_past_that_was_made_to_fit_does_not_lead_to_the_last_link_that_was_told() {
    let fixture = Fixture::with(3);
    fixture.tamper("UPDATE events SET uid=9 WHERE seq=3");
    let connection = Connection::open(&fixture.path).unwrap();
    let mut last = chain::GENESIS;
    for seq in 1..=6 {
        let (kind, at_ms, uid, run, head): (_, _, _, String, String) = connection
            .query_row(
                "SELECT kind, at_ms, uid, run, head FROM events WHERE seq=?1",
                [seq],
                |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                    ))
                },
            )
            .unwrap();
        let event = chain::Event {
            seq,
            kind,
            at_ms,
            uid,
            run: &run,
            head: &head,
        };
        last = chain::link(&last, &event);
        let changed = connection.execute(
            "UPDATE events SET hash=?2 WHERE seq=?1",
            rusqlite::params![seq, &last[..]],
        );
        assert_eq!(changed.unwrap(), 1);
    }
    let (verdict, problems) = fixture.verdict(None);
    assert_eq!(verdict, Integrity::Broken);
    assert!(problems[0].contains("was made anew"), "{problems:?}");
}

#[test]
fn the_first_seal_key_is_nowhere_on_the_disk_after_the_next_event() {
    let fixture = Fixture::with(0);
    let key = [0xA7; 32];
    let mut store = opened(&fixture.path, 0).unwrap();
    store.seal(key, 0).unwrap();
    store.append(&[start("one", 0)]).unwrap();
    for entry in std::fs::read_dir(fixture.path.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let text = chain::hex(&key);
        assert!(!bytes.windows(32).any(|window| window == key));
        assert!(!bytes.windows(64).any(|window| window == text.as_bytes()));
    }
}

#[test]
fn retention_leaves_stubs_and_the_chain_whole() {
    let fixture = Fixture::with(4);
    let mut store = opened(&fixture.path, 0).unwrap();
    assert!(store.retain(0, 400, 3000).unwrap() > 0);
    assert_eq!(store.retain(0, 400, 3000).unwrap(), 0);
    drop(store);
    assert_eq!(fixture.verdict(None), (Integrity::Consistent, Vec::new()));
    let dropped = fixture.verified(None, &[]).dropped.unwrap();
    let count = |condition: &str| -> u64 {
        let sql = format!("SELECT count(*) FROM events {condition}");
        let connection = Connection::open(&fixture.path).unwrap();
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(dropped.events, dropped.up_to);
    assert_eq!((dropped.said_by, dropped.at_ms), (count(""), 3000));
    let gone = count("WHERE kind < 3 AND seq NOT IN (SELECT seq FROM bodies)");
    assert_eq!(dropped.events, gone);
    let whole = fixture.audit().record(0, "run00").unwrap().unwrap();
    assert_eq!(whole.record.source, None);
    assert_eq!(whole.record.dropped_bodies, ["source", "result", "stdout"]);
    assert_eq!(whole.record.result.unwrap().status, Outcome::Completed);
    // What retention did not reach may not go.
    fixture.tamper("DELETE FROM bodies");
    assert_eq!(fixture.verdict(None).0, Integrity::Broken);
}

#[test]
fn what_retention_drops_gives_its_room_back() {
    let fixture = Fixture::with(0);
    let mut store = opened(&fixture.path, 0).unwrap();
    for run in 0..40 {
        let mut event = start(&format!("run{run}"), 0);
        // What does not shrink.
        let noise = (0..16_384_u32).flat_map(|n| chain::digest(&(n + run).to_le_bytes()));
        event.bodies = vec![("source", noise.take(100_000).collect())];
        store.append(&[event]).unwrap();
    }
    let pages = |store: &Store| -> u64 {
        let read = |name| {
            store
                .connection
                .pragma_query_value::<u64, _>(None, name, |row| row.get(0))
        };
        read("page_count").unwrap() - read("freelist_count").unwrap()
    };
    let count = |store: &Store| -> u64 {
        store
            .connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap()
    };
    let before = count(&store);
    assert!(store.retain(0, 100_000, 3000).unwrap() >= 38);
    assert!(pages(&store) < before / 4);
    assert_eq!(count(&store), pages(&store), "free pages stay in the file");
}

#[test]
fn a_wrong_clock_neither_drops_what_is_young_nor_keeps_what_is_old() {
    const DAY: i64 = 86_400_000;
    let fixture = Fixture::with(0);
    let mut store = opened(&fixture.path, 0).unwrap();
    let at = [10, 20, 90, 91, 0, 92, 400, 93];
    let events: Vec<_> = at
        .iter()
        .map(|day| NewEvent {
            at_ms: day * DAY,
            ..start(&format!("of day {day}"), 0)
        })
        .collect();
    store.append(&events).unwrap();
    // Of the eight, the third is the oldest that is young; the fifth was written under a clock gone back.
    assert_eq!(store.retain(60 * DAY, u64::MAX, 95 * DAY).unwrap(), 2);
    assert_eq!(store.retain(60 * DAY, u64::MAX, 95 * DAY).unwrap(), 0);
    // In time all of them go, but the last: neither the past nor the future of another holds them.
    assert_eq!(store.retain(93 * DAY, u64::MAX, 120 * DAY).unwrap(), 5);
}

#[test]
fn a_run_without_an_end_is_closed_as_interrupted_at_the_next_start() {
    let fixture = Fixture::with(1);
    opened(&fixture.path, 0)
        .unwrap()
        .append(&[start("cut", 5)])
        .unwrap();
    drop(opened(&fixture.path, 7).unwrap());
    let page = fixture
        .audit()
        .history(5, &HistoryQuery::default())
        .unwrap();
    assert_eq!(page.runs[0].outcome, Some(Outcome::Interrupted));
    assert_eq!(fixture.verdict(None), (Integrity::Consistent, Vec::new()));
}

#[test]
fn history_is_of_one_uid_and_comes_in_pages() {
    let fixture = Fixture::with(10);
    let mut query = HistoryQuery::default();
    query.limit = 2;
    let mut seen = Vec::new();
    loop {
        let page = fixture.audit().history(1, &query).unwrap();
        seen.extend(page.runs.into_iter().map(|run| run.id));
        query.before = page.next;
        if query.before.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["run09", "run07", "run05", "run03", "run01"]);
    assert!(fixture.audit().record(1, "run00").unwrap().is_none());
    let mut query = HistoryQuery::default();
    query.file = Some("run03".to_owned());
    query.outcome = Some(Outcome::Completed);
    query.text = Some("default".to_owned());
    query.risk = Some(Risk::Low);
    assert_eq!(fixture.audit().history(1, &query).unwrap().runs.len(), 1);
    query.risk = Some(Risk::Medium);
    assert_eq!(fixture.audit().history(1, &query).unwrap().runs.len(), 0);
}

#[test]
fn a_later_form_a_corrupt_file_and_a_locked_one_are_named() {
    let fixture = Fixture::with(1);
    let lock = Connection::open(&fixture.path).unwrap();
    let mut store = opened(&fixture.path, 0).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.append(&[start("x", 0)]).unwrap_err();
    assert!(store.error(&error).to_string().contains("locked"));
    lock.execute_batch("COMMIT").unwrap();
    store.append(&[start("x", 0)]).unwrap();
    drop((store, lock));
    Connection::open(&fixture.path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(message(&fixture.path).contains("later SafeRun"));
    let corrupt = fixture.path.with_file_name("corrupt.sqlite");
    std::fs::write(&corrupt, vec![b'?'; 9000]).unwrap();
    assert!(message(&corrupt).contains("not a database"));
}

fn message(path: &Path) -> String {
    opened(path, 0).err().unwrap().to_string()
}

#[test]
fn a_full_disk_is_an_error_and_nothing_half_written() {
    let fixture = Fixture::with(1);
    let mut store = opened(&fixture.path, 0).unwrap();
    let pages: i64 = store
        .connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    store
        .connection
        .pragma_update(None, "max_page_count", pages)
        .unwrap();
    let big = || {
        let noise = (0..60_000_u32)
            .flat_map(|at| chain::digest(&at.to_le_bytes()))
            .collect();
        EndHead::interrupted().event("big".to_owned(), 0, 0, vec![("stdout", noise)])
    };
    let error = store.append(&[start("big", 0), big()]).unwrap_err();
    assert!(store.error(&error).to_string().contains("full"), "{error}");
    store
        .connection
        .pragma_update(None, "max_page_count", 1_000_000)
        .unwrap();
    store.append(&[start("big", 0), big()]).unwrap();
    drop(store);
    assert_eq!(fixture.verdict(None), (Integrity::Consistent, Vec::new()));
}

#[test]
fn a_record_that_lost_a_whole_table_or_its_version_is_not_found_sound() {
    for (sql, named) in [
        ("DROP TABLE words", "words"),
        ("DROP TABLE bodies", "bodies"),
        ("DROP TABLE words; PRAGMA user_version=1", "version is 1"),
    ] {
        let fixture = Fixture::with(2);
        fixture.tamper(sql);
        let error = fixture.audit().verify(None, &[]).unwrap_err();
        assert!(error.to_string().contains(named), "{sql}: {error}");
    }
}
