//! Each lie that a sandbox could tell of what it left behind is refused.

use saferun_frames::{ChangeKind as Kind, Entry, EntryType as Type, Place as Where};

use super::*;

fn account() -> Account {
    Account {
        changes: Some(Budget {
            bytes: 10,
            entries: 4096,
        }),
        artifacts: Some(Budget {
            bytes: 4,
            entries: 1,
        }),
        trace: false,
        lines: false,
    }
}

fn entry(content: &[u8]) -> Entry {
    Entry {
        kind: Type::File,
        mode: 0o644,
        size: content.len() as u64,
        sha256: Some(code_hash(content)),
        target: None,
    }
}

fn created(place: Where, path: &str, content: &[u8]) -> frames::Change {
    frames::Change {
        place,
        path: path.to_owned(),
        kind: Kind::Created,
        before: None,
        after: Some(entry(content)),
        content: Some(content.len() as u64),
    }
}

fn all() -> Collected {
    Collected {
        complete: true,
        notes: vec!["n".repeat(1000); 100],
        left_behind: LeftBehind {
            files: 7,
            names: vec!["n".repeat(1000); 100],
            ..LeftBehind::default()
        },
    }
}

#[test]
fn what_was_left_behind_is_told() {
    let mut gather = Gather::new(account());
    gather
        .change(created(Where::Workspace, "a/b", b"xyz"))
        .unwrap();
    gather.content(b"x").unwrap();
    gather.content(b"yz").unwrap();
    gather.change(created(Where::Home, ".bashrc", b"")).unwrap();
    gather
        .change(created(Where::Out, "plot.png", b"p"))
        .unwrap();
    gather.content(b"p").unwrap();
    let link = frames::Change {
        after: Some(Entry {
            kind: Type::Symlink,
            target: Some("/etc".to_owned()),
            sha256: None,
            size: 0,
            ..entry(b"")
        }),
        content: None,
        ..created(Where::Out, "link", b"")
    };
    gather.change(link).unwrap();
    let gathered = gather.finish(Some(all()), None).unwrap();
    let effects = gathered.effects.unwrap();
    let paths: Vec<_> = effects
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(paths, ["a/b", ".bashrc"]);
    assert_eq!(effects.changes[0].content_base64.as_deref(), Some("eHl6"));
    assert_eq!(effects.notes.len(), MAX_NOTES);
    assert_eq!(effects.notes[0].len(), NOTE);
    assert_eq!(gathered.artifacts[0].path, "plot.png");
    assert!(gathered.advice[0].contains("link"), "{:?}", gathered.advice);
}

#[test]
fn files_that_were_asked_for_and_of_which_no_account_came_are_told_as_missing() {
    let silent = Gather::new(account()).finish(None, None).unwrap();
    for gathered in [Gathered::nothing(account()), silent] {
        let left = gathered.left_behind.expect("nobody looked");
        assert_eq!((left.files, left.perhaps_more), (0, true));
        assert_eq!(left.why.as_deref(), Some(NO_ACCOUNT));
    }
    // An account says it itself, and has no word in why.
    let mut told = all();
    told.left_behind.why = Some("\x1b[2J".to_owned());
    let gathered = Gather::new(account()).finish(Some(told), None).unwrap();
    let left = gathered.left_behind.expect("seven files");
    assert_eq!((left.files, left.why), (7, None));
    let mut told = all();
    told.left_behind = LeftBehind::default();
    let gathered = Gather::new(account()).finish(Some(told), None).unwrap();
    assert_eq!(gathered.left_behind, None);
    // Nobody asked.
    let mut unasked = account();
    unasked.artifacts = None;
    assert_eq!(Gathered::nothing(unasked).left_behind, None);
    let gathered = Gather::new(unasked).finish(None, None).unwrap();
    assert_eq!(gathered.left_behind, None);
}

#[test]
fn i4_lies_about_changes_are_refused() {
    let base = || created(Where::Workspace, "a", b"xyz");
    let with = |change: &dyn Fn(&mut frames::Change)| {
        let mut lie = base();
        change(&mut lie);
        lie
    };
    let lies = [
        with(&|lie| lie.path = "../a".to_owned()),
        with(&|lie| lie.path = "/a".to_owned()),
        with(&|lie| lie.path = "a/./b".to_owned()),
        with(&|lie| lie.path = "d/".repeat(70) + "x"),
        with(&|lie| lie.after = None),
        with(&|lie| lie.kind = Kind::Modified),
        with(&|lie| lie.kind = Kind::Deleted),
        with(&|lie| lie.content = Some(2)),
        with(&|lie| lie.content = Some(u64::MAX)),
        with(&|lie| lie.after.as_mut().unwrap().sha256 = None),
        with(&|lie| lie.after.as_mut().unwrap().sha256 = Some("z".repeat(64))),
        with(&|lie| lie.after.as_mut().unwrap().mode = 0o170_000),
        with(&|lie| lie.after.as_mut().unwrap().kind = Type::Symlink),
        with(&|lie| lie.after.as_mut().unwrap().target = Some("/etc".to_owned())),
        created(Where::Workspace, "a", b"more than ten"),
        created(Where::Out, "a", b"five."),
        frames::Change {
            place: Where::Out,
            kind: Kind::Deleted,
            before: Some(entry(b"")),
            after: None,
            content: None,
            ..base()
        },
    ];
    for lie in lies {
        let mut gather = Gather::new(account());
        assert!(gather.change(lie.clone()).is_err(), "{lie:?}");
    }
}

#[test]
fn i4_lies_about_contents_and_numbers_are_refused() {
    let begun = || {
        let mut gather = Gather::new(account());
        gather
            .change(created(Where::Workspace, "a", b"xyz"))
            .unwrap();
        gather
    };
    assert!(begun().content(b"xyzz").is_err(), "too long");
    assert!(begun().content(b"xyy").is_err(), "another content");
    assert!(begun().change(created(Where::Workspace, "b", b"")).is_err());
    assert!(begun().finish(Some(all()), None).is_err(), "too short");
    let mut twice = begun();
    twice.content(b"xyz").unwrap();
    assert!(
        twice
            .change(created(Where::Workspace, "a", b"xyz"))
            .is_err()
    );
    let mut two = Gather::new(account());
    two.change(created(Where::Out, "a", b"")).unwrap();
    assert!(
        two.change(created(Where::Out, "b", b"")).is_err(),
        "one file"
    );
    let mut nothing = Gather::new(Account::default());
    assert!(nothing.change(created(Where::Workspace, "a", b"")).is_err());
    assert!(nothing.content(b"x").is_err());
    let mut many = Gather::new(account());
    for index in 0..MAX_CHANGES {
        many.change(created(Where::Workspace, &index.to_string(), b""))
            .unwrap();
    }
    assert!(
        many.change(created(Where::Workspace, "one more", b""))
            .is_err()
    );
}

#[test]
fn lies_about_a_trace_are_refused() {
    let event = TraceEvent {
        at_us: 1,
        kind: frames::EventKind::Write,
        call: "openat".to_owned(),
        what: "/tmp/x".to_owned(),
        verdict: frames::TraceVerdict::Allowed,
        pid: 2,
        count: 1,
        file: None,
        line: None,
        seen: frames::Seen::Kernel,
    };
    let traced = || {
        Gather::new(Account {
            trace: true,
            ..Account::default()
        })
    };
    let mut gather = traced();
    gather.trace(vec![event.clone(); MAX_EVENTS]).unwrap();
    assert!(gather.trace(vec![event.clone()]).is_err(), "one more");
    let end = TraceEnd {
        unavailable: Some("w".repeat(10_000)),
        total: 5,
        left_out: 1,
        left_out_by_kind: [(frames::EventKind::Write, 1)].into(),
    };
    let trace = gather.finish(None, Some(end)).unwrap().trace.unwrap();
    assert_eq!(trace.events.len(), MAX_EVENTS);
    assert_eq!(trace.unavailable.map(|why| why.len()), Some(NOTE));
    let long = TraceEvent {
        what: "x".repeat(MAX_TEXT + 1),
        ..event.clone()
    };
    assert!(traced().trace(vec![long]).is_err());
    assert!(Gather::new(Account::default()).trace(vec![event]).is_err());
}
