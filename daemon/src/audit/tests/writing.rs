//! What the writer's thread does before it appends: room for the end, the file at its path, how surely it is on the disk.

use saferun_policy::{AuditRules, SourceRecord};
use saferun_protocol::Asked;

use super::*;
use writer::{Command, Waiting};

/// Of an empty folder.
fn writing() -> (tempfile::TempDir, PathBuf, Audit) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.sqlite");
    let audit = Audit::open(path.clone(), None).unwrap();
    (folder, path, audit)
}

fn seen(folder: tempfile::TempDir, path: PathBuf) -> Fixture {
    Fixture {
        _folder: folder,
        path,
    }
}

#[tokio::test]
async fn a_start_without_room_for_its_end_is_refused_while_ends_are_written() {
    let (folder, path, audit) = writing();
    let promise = audit.append(start("under way", 0)).await.unwrap();
    // More than any disk has.
    let huge = || start("huge", 0).with_end_room(1 << 60);
    let error = audit.append(huge()).await.unwrap_err();
    assert!(error.to_string().contains("too full"), "{error}");
    let told = audit.problem().unwrap().to_string();
    assert!(told.contains("make room"), "{told}");
    audit.append(end("under way", 0)).await.unwrap();
    drop(promise);
    assert!(audit.problem().is_some(), "an end needs less than a start");
    let promise = audit.append(start("small", 0).with_end_room(1)).await;
    assert!(audit.problem().is_none());
    audit.append(end("small", 0)).await.unwrap();
    drop((promise, audit));
    let fixture = seen(folder, path);
    let page = fixture.audit().history(0, &HistoryQuery::default());
    let ids: Vec<_> = page.unwrap().runs.into_iter().map(|run| run.id).collect();
    assert_eq!(ids, ["small", "under way"]);
    assert_eq!(fixture.verdict(None).0, Integrity::Consistent);
}

#[tokio::test]
async fn a_record_that_is_moved_under_the_writer_is_told_once_and_no_end_stands_without_its_start()
{
    let (folder, path, audit) = writing();
    for run in ["before", "lost", "open"] {
        audit.append(start(run, 0)).await.unwrap();
    }
    audit.append(end("before", 0)).await.unwrap();
    let aside = folder.path().join("aside.sqlite");
    // Away, with what stands beside it left there; and back.
    std::fs::rename(&path, &aside).unwrap();
    let error = audit.append(end("lost", 0)).await.unwrap_err();
    assert!(error.to_string().contains("moved away"), "{error}");
    let told = audit.problem().unwrap().to_string();
    assert!(told.contains("moved away"), "{told}");
    std::fs::rename(&aside, &path).unwrap();
    audit.append(start("back", 0)).await.unwrap();
    assert!(audit.problem().is_none());
    // What went on meanwhile was not taken for a run that an earlier daemon left open.
    audit.append(end("open", 0)).await.unwrap();
    let error = audit.append(end("open", 0)).await.unwrap_err();
    assert!(
        error.to_string().contains("not in the audit record"),
        "{error}"
    );
    audit.append(end("back", 0)).await.unwrap();
    audit.append(start("cut", 0)).await.unwrap();
    // Now all of it, for good: another begins, and the end of what began in this one is not put there.
    let kept = folder.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    for name in [
        "audit.sqlite",
        "audit.sqlite-wal",
        "audit.sqlite-shm",
        "audit.head",
    ] {
        std::fs::rename(folder.path().join(name), kept.join(name)).unwrap();
    }
    let error = audit.append(start("refused", 0)).await.unwrap_err();
    assert!(error.to_string().contains("moved away"), "{error}");
    audit.append(start("new", 0)).await.unwrap();
    let error = audit.append(end("cut", 0)).await.unwrap_err();
    assert!(
        error.to_string().contains("another than when it began"),
        "{error}"
    );
    audit.append(end("new", 0)).await.unwrap();
    drop(audit);
    let ids = |fixture: &Fixture| {
        let page = fixture.audit().history(0, &HistoryQuery::default());
        let runs = page.unwrap().runs.into_iter();
        runs.map(|run| (run.id, run.outcome)).collect::<Vec<_>>()
    };
    let done = |id: &str| (id.to_owned(), Some(Outcome::Completed));
    let moved = seen(tempfile::tempdir().unwrap(), kept.join("audit.sqlite"));
    assert_eq!(moved.verdict(None), (Integrity::Consistent, Vec::new()));
    let open = |id: &str| (id.to_owned(), None);
    assert_eq!(
        ids(&moved),
        [
            open("cut"),
            done("back"),
            done("open"),
            // Its end waited until the record was back.
            done("lost"),
            done("before")
        ]
    );
    let new = seen(folder, path);
    assert_eq!(new.verdict(None), (Integrity::Consistent, Vec::new()));
    assert_eq!(ids(&new), [done("new")]);
}

#[tokio::test]
async fn an_end_that_could_not_be_written_is_written_when_it_can_be() {
    let (folder, path, audit) = writing();
    // By the next event, by the tick, and by the daemon's last word.
    for way in ["append", "tick", "stop"] {
        audit.append(start(way, 0)).await.unwrap();
        let holder = Connection::open(&path).unwrap();
        holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let error = audit.append(end(way, 0)).await.unwrap_err();
        assert!(error.to_string().contains("locked"), "{error}");
        assert_eq!(audit.late(), 1);
        // Tried in vain, it waits on.
        audit.catch_up();
        audit.head().await.unwrap();
        assert_eq!(audit.late(), 1);
        assert!(audit.problem().is_some());
        drop(holder);
        match way {
            "append" => drop(audit.append(start("next", 0)).await.unwrap()),
            "tick" => audit.catch_up(),
            _ => {}
        }
        audit.head().await.unwrap();
        assert_eq!(audit.late(), 0, "{way}");
        assert!(audit.problem().is_none(), "{way}");
        let error = audit.append(end(way, 0)).await.unwrap_err();
        assert!(matches!(error, AuditError::Elsewhere { .. }), "{error}");
        assert_eq!(audit.late(), 0, "{way}: no run ends twice");
    }
    audit.append(end("next", 0)).await.unwrap();
    drop(audit);
    let fixture = seen(folder, path);
    let page = fixture.audit().history(0, &HistoryQuery::default());
    let runs = page.unwrap().runs;
    assert_eq!(runs.len(), 4);
    assert!(
        runs.iter()
            .all(|run| run.outcome == Some(Outcome::Completed)),
        "{runs:?}"
    );
    assert_eq!(fixture.verdict(None), (Integrity::Consistent, Vec::new()));
}

#[test]
fn what_must_survive_a_loss_of_power_is_synchronised_at_each_commit() {
    let fixture = Fixture::with(0);
    let mut store = opened(&fixture.path, 0).unwrap();
    let full = |store: &Store| {
        let level: i64 = store
            .connection
            .pragma_query_value(None, "synchronous", |row| row.get(0))
            .unwrap();
        level == 2
    };
    assert!(!full(&store));
    store.append(&[start("power", 0).durable(true)]).unwrap();
    assert!(full(&store));
    store.append(&[end("power", 0)]).unwrap();
    assert!(!full(&store));
    // One that must among others that need not.
    store
        .append(&[start("a", 0), start("b", 0).durable(true)])
        .unwrap();
    assert!(full(&store));
}

#[tokio::test]
async fn the_policys_word_on_durability_and_output_goes_with_each_event() {
    for power in [true, false] {
        let (commands, mut inbox) = mpsc::channel(2);
        let audit = Audit {
            commands,
            path: Arc::new(PathBuf::from("r")),
            problem: Arc::default(),
            late: watch::Sender::default(),
        };
        let rules = AuditRules {
            survives_power_loss: power,
            source: SourceRecord::Redacted,
            output: power,
            refuse_unrecorded: true,
        };
        let answers = tokio::spawn(async move {
            let mut told = Vec::new();
            while let Some(Command::Append(Waiting { event, reply })) = inbox.recv().await {
                told.push((event.durable, event.end_room));
                reply.send(Ok(Promise::default())).unwrap();
            }
            told
        });
        let result = RunResult::new("one".to_owned(), Outcome::Completed, String::new());
        let facts = Facts {
            uid: 0,
            client: ClientKind::Terminal,
            file_name: "one.py",
            source: b"print()",
            args: &[],
            env: &[],
            stdin: None,
            stdin_streamed: false,
            files: Vec::new(),
            verdict: "Allow",
            decision: Vec::new(),
            override_reason: None,
            asked: &Asked::default(),
            output_withheld: false,
            output_cap: 1000,
            image: "",
            result: &result,
        };
        let (recorded, started) = Recorded::start(audit, rules, Secrets::default(), facts).await;
        started.unwrap();
        recorded
            .end(&result, Default::default(), &[])
            .await
            .unwrap();
        let kept = if power { 1000 } else { 0 };
        assert_eq!(
            answers.await.unwrap(),
            [(power, room::of_end(kept)), (power, 0)]
        );
    }
}

#[test]
fn a_second_seal_takes_the_place_of_the_first() {
    let fixture = Fixture::with(1);
    let mut store = opened(&fixture.path, 0).unwrap();
    let keys = [[3; 32], [4; 32]];
    for (key, run) in keys.iter().zip(["one", "two"]) {
        store.seal(*key, 0).unwrap();
        store.append(&[start(run, 0), end(run, 0)]).unwrap();
    }
    drop(store);
    let [first, second] = keys.map(|key| fixture.verdict(Some(&chain::hex(&key))).0);
    assert_eq!((first, second), (Integrity::Broken, Integrity::Untampered));
}

#[test]
fn what_a_killed_daemon_left_in_the_log_is_brought_in_by_the_next_one() {
    let fixture = Fixture::with(0);
    let mut killed = opened(&fixture.path, 0).unwrap();
    killed.append(&[start("one", 0), end("one", 0)]).unwrap();
    // Its connection is never closed, as after a kill.
    std::mem::forget(killed);
    let mut next = opened(&fixture.path, 0).unwrap();
    next.append(&[start("two", 0)]).unwrap();
    next.checkpoint().unwrap();
    let alone = fixture.path.with_file_name("alone.sqlite");
    std::fs::copy(&fixture.path, &alone).unwrap();
    let events: i64 = Connection::open(&alone)
        .unwrap()
        .query_row("SELECT count(*) FROM events", [], |row| row.get(0))
        .unwrap();
    assert_eq!(events, 3);
}
