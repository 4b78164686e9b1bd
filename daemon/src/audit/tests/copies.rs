//! Records that were put back, that swell, that are of an older form; and what a search finds in one.

use super::*;

#[test]
fn a_link_that_was_kept_elsewhere_finds_a_record_that_was_put_back() {
    let fixture = Fixture::with(2);
    let older = |name: &str| {
        let from = fixture.path.with_extension(name);
        std::fs::read(from).unwrap()
    };
    let (database, head) = (older("sqlite"), older("head"));
    let mut store = opened(&fixture.path, 0).unwrap();
    store.append(&[start("later", 0), end("later", 0)]).unwrap();
    drop(store);
    let (early, late) = (fixture.anchor(3), fixture.anchor(6));
    let report = fixture.verified(None, &[late.clone(), early.clone(), late.clone()]);
    assert_eq!(
        (report.verdict, report.anchored_to),
        (Integrity::Consistent, Some(6))
    );
    // Database and head file of before: each fits the other, and nothing in them says that there was more.
    std::fs::write(&fixture.path, database).unwrap();
    std::fs::write(fixture.path.with_extension("head"), head).unwrap();
    for beside in ["sqlite-wal", "sqlite-shm"] {
        let _ = std::fs::remove_file(fixture.path.with_extension(beside));
    }
    assert_eq!(fixture.verdict(None).0, Integrity::Consistent);
    let report = fixture.verified(None, &[early, late.clone()]);
    assert_eq!(
        (report.verdict, report.anchored_to),
        (Integrity::Broken, Some(3))
    );
    assert!(
        report.problems[0].contains("put back to an older state"),
        "{:?}",
        report.problems
    );
    // It goes on with other runs, up to the same number and beyond.
    let mut store = opened(&fixture.path, 0).unwrap();
    store.append(&[start("other", 0), end("other", 0)]).unwrap();
    drop(store);
    let report = fixture.verified(None, &[late]);
    assert_eq!(report.verdict, Integrity::Broken);
    assert!(
        report.problems[0].contains("was made anew"),
        "{:?}",
        report.problems
    );
    let short = Anchor {
        seq: 1,
        link: "ab".to_owned(),
    };
    let refused = fixture.audit().verify(None, &[short]).unwrap_err();
    assert!(refused.to_string().contains("history head"), "{refused}");
}

/// A record that inflates: each body is a hundred megabytes of nothing, of which a few hundred kilobytes are stored.
#[test]
fn a_copy_that_swells_is_verified_in_little_memory_and_within_its_time() {
    const SIZE: usize = 96 << 20;
    let fixture = Fixture::with(0);
    let mut store = opened(&fixture.path, 0).unwrap();
    // Longer than what is read as a whole, and of no use to compress.
    let noise = (0..80_000_u32).flat_map(|n| chain::digest(&n.to_le_bytes()));
    let mut long = start("long", 0);
    let mut head: StartHead = serde_json::from_str(&long.head).unwrap();
    long.bodies = vec![("source", noise.collect())];
    head.bodies.clear();
    let long = head.event("long".to_owned(), 0, 1000, long.bodies);
    store.append(&[long, end("long", 0)]).unwrap();
    assert_eq!(fixture.verdict(None), (Integrity::Consistent, Vec::new()));
    let swollen = store::deflate(&vec![0; SIZE]);
    assert!(swollen.len() < SIZE / 100);
    for seq in [1, 2] {
        store
            .connection
            .execute(
                "INSERT INTO bodies VALUES(?1, 'swollen', 1, ?2)",
                rusqlite::params![seq, swollen],
            )
            .unwrap();
    }
    drop((store, swollen));
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let report = fixture.verified(None, &[]);
    assert_eq!(report.verdict, Integrity::Broken);
    assert!(report.problems[0].contains("a body `swollen` was added"));
    let grown = memory("VmHWM:").saturating_sub(before);
    assert!(grown < SIZE as u64 / 2, "{grown}");
    let hurried = CopyCheck {
        within: Duration::ZERO,
        ..CopyCheck::default()
    };
    let late = verify_copy(&fixture.path, &hurried, &mut |_, _| ()).unwrap_err();
    assert!(late.to_string().contains("--within"), "{late}");
}

/// Of this process, in bytes.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap();
    let kib = line.trim().split(' ').next().unwrap();
    kib.parse::<u64>().unwrap() << 10
}

/// A record that a daemon of the first version wrote over runs in real containers: five of them, a seal after the second,
/// the last one cut off by SIGKILL.
#[test]
fn a_record_of_version_1_gets_todays_form_and_stays_what_it_was() {
    const KEY: &str = "7627f4466188323f559ed2259f90d0598a7e6e44ac70820404ea04dff716fd1c";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/v1.sqlite")).unwrap();
    let head = include_bytes!("../fixtures/v1.head");
    std::fs::write(path.with_extension("head"), head).unwrap();
    let against = CopyCheck {
        key: Some(KEY.to_owned()),
        ..CopyCheck::default()
    };
    // As a copy it is read as it is.
    let before = verify_copy(&path, &against, &mut |_, _| ()).unwrap();
    assert_eq!(before.verdict, Integrity::Untampered, "{before:?}");
    assert_eq!((before.events, before.sealed_from), (11, Some(6)));
    drop(opened(&path, 9).unwrap());
    let after = verify_copy(&path, &against, &mut |_, _| ()).unwrap();
    assert_eq!(after, before);
    let fixture = Fixture {
        _folder: folder,
        path,
    };
    let asked = |text: &str| {
        let mut query = HistoryQuery::default();
        query.text = Some(text.to_owned());
        let page = fixture.audit().history(0, &query).unwrap();
        page.runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    let (with_arguments, overridden) = (
        "01a21c09-fba2-71d2-ade7-f17c258cdf7d",
        "01a21c09-fd69-769f-9058-99e5428c2067",
    );
    assert_eq!(asked("DREI.py"), ["01a21c09-fd4f-7378-9689-5188aa69ca18"]);
    assert_eq!(asked("shell-command"), [overridden, with_arguments]);
    assert_eq!(asked("--all argument b"), [with_arguments]);
    assert_eq!(asked("read it"), [overridden]);
    assert_eq!(
        asked("killed or lost power"),
        ["01a21c09-ff33-7370-bac0-7e3fa3f4f961"]
    );
    let whole = fixture.audit().record(0, with_arguments).unwrap().unwrap();
    assert_eq!(whole.record.args, ["--All", "Argument B"]);
    assert_eq!(whole.streams[0].0, b"two.py\n");
    let result = whole.record.result.unwrap();
    assert_eq!((result.exit_code, result.evidence), (Some(3), None));
    assert!(result.sandbox.attestation.len() > 20);
    let mut store = opened(&fixture.path, 9).unwrap();
    store.append(&[start("new", 0), end("new", 0)]).unwrap();
    drop(store);
    assert_eq!(
        fixture.verdict(Some(KEY)),
        (Integrity::Untampered, Vec::new())
    );
    assert_eq!(asked("new.py"), ["new"]);
}

#[test]
fn a_search_finds_what_was_said_and_no_names_of_fields_or_hashes() {
    let fixture = Fixture::with(3);
    let found = |text: &str| {
        let mut query = HistoryQuery::default();
        query.text = Some(text.to_owned());
        fixture.audit().history(0, &query).unwrap().runs.len()
    };
    assert_eq!(
        (found("run02.py"), found("RUN02"), found("Default")),
        (1, 1, 2)
    );
    for none in [
        "code_sha256",
        "terminal",
        "bodies",
        "%",
        "\"",
        &chain::hex(&chain::digest(b"print()")),
    ] {
        assert_eq!(found(none), 0, "{none}");
    }
}

#[test]
fn bodies_without_a_byte_do_not_outlast_the_time() {
    let fixture = Fixture::with(1);
    let connection = Connection::open(&fixture.path).unwrap();
    let mut bodies = check::Bodies::new(&connection).unwrap();
    connection
        .execute("UPDATE bodies SET data=x'', deflated=0", [])
        .unwrap();
    let now = std::time::Instant::now();
    assert!(matches!(bodies.of(1, now), Err(check::Stop::Late)));
    let later = now + Duration::from_secs(600);
    assert_eq!(bodies.of(1, later).unwrap().len(), 1);
}
