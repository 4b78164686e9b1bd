//! The map from the failures that tools of this kind have had to the tests that hold them off: found by
//! the ids in the tests' names, so that it cannot claim a test that does not exist.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

/// Time and kill, output, input, resources, crash and orphans, warm pool, engine, isolation: id and what must hold.
const FAILURES: [(&str, &str); 55] = [
    (
        "T1",
        "nothing that a program started is alive after its deadline",
    ),
    (
        "T2",
        "a child that holds the output open delays no end of its parent's run",
    ),
    (
        "T3",
        "a program that kills itself is `signaled`, not `timeout`",
    ),
    ("T4", "waiting for a container is not charged to the run"),
    (
        "T5",
        "a client that goes away ends its run, unless it is detached",
    ),
    ("T6", "a cancel that races the end gives one end"),
    ("T7", "time limits of 0, of none, and huge ones"),
    (
        "O1",
        "a flood of 1 GB, with lines or without, on either stream: capped, the daemon's memory bounded",
    ),
    (
        "O2",
        "more than a pipe holds on both streams: no deadlock, no false timeout",
    ),
    (
        "O3",
        "UTF-8 cut anywhere, streams interleaved: nothing lost",
    ),
    (
        "O4",
        "bytes that are no text, NUL, surrogates, terminal sequences: harmless and not lost",
    ),
    (
        "O5",
        "a slow or absent reader: a bounded queue, other clients unharmed",
    ),
    ("O6", "exactly at the cap, one below, one above"),
    ("O8", "a chunk is not a line"),
    (
        "S1",
        "the end of the input reaches the program; without input it never hangs",
    ),
    (
        "S2",
        "more input than a pipe holds, to a slow reader and to one that ends early",
    ),
    ("S3", "binary input"),
    (
        "R1",
        "fork and thread bombs: the host is fine and they can be killed",
    ),
    (
        "R2",
        "out of memory in a process, a child, a tmpfs, shared memory: `oom`, and never falsely",
    ),
    ("R3", "no swap"),
    ("R4", "neighbours are unharmed"),
    ("R5", "disk and inodes full, a sparse file"),
    (
        "R6",
        "numeric packages, processes and shared memory work under the limits",
    ),
    ("R7", "all file descriptors used up"),
    (
        "C1",
        "killed at any step, the daemon leaves no container and no open record",
    ),
    (
        "C2",
        "other daemons' and users' containers are untouched, however alike",
    ),
    (
        "C3",
        "what is ours is known from the journal, not from labels",
    ),
    ("C4", "a failed removal is tried again and can be seen"),
    ("C5", "a container that dies idle is never handed out"),
    (
        "C6",
        "one daemon for each state; stale and foreign sockets are told apart",
    ),
    ("P1", "no container is leased twice"),
    (
        "P2",
        "live containers never exceed the target, also with failing creates",
    ),
    ("P3", "not leased before it is ready"),
    ("P4", "other settings are never silently dropped"),
    ("P5", "a change of image or policy drains what is old"),
    ("P7", "the hit rate is asserted in the benchmark"),
    ("P8", "zero capacity is not unlimited"),
    ("P9", "nothing survives from run to run"),
    ("P10", "no lock is held across a call to the engine"),
    (
        "D1",
        "an engine that hangs, resets or answers garbage holds up no call",
    ),
    (
        "D2",
        "an engine that restarts in mid-run: run closed, pool rebuilt",
    ),
    ("D3", "one stuck container does not block others"),
    ("D4", "a hung call gives back its task and descriptor"),
    ("D5", "a start that fails after create leaves nothing"),
    ("D6", "no image: a clear error"),
    (
        "D8",
        "flat over a long time: descriptors, threads, memory, database",
    ),
    ("I1", "the ways out are closed (docs/containment.md)"),
    ("I2", "nothing secret can be read through PID 1"),
    ("I3", "user code cannot forge its account"),
    ("I4", "files that come out cannot harm the host"),
    ("I5", "the code under test cannot widen its policy"),
    (
        "I6",
        "a missing layer of isolation fails closed, with the cause",
    ),
    ("I7", "never \"ok\" for what did not run"),
    ("I9", "nothing of ours is left in the user's workspace"),
    (
        "I10",
        "the standard library imports under the seccomp profile",
    ),
];

/// Test functions of the workspace: name to file.
fn tests(folder: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", ".git"].contains(&name.as_str()) {
                tests(&path, root, found);
            }
            continue;
        }
        if path.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source file");
        let mut is_test = false;
        for line in source.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some(rest) = line.split_once("fn ").map(|(_, rest)| rest) {
                if is_test {
                    let name = rest.split(['(', '<']).next().unwrap_or_default();
                    let file = path.strip_prefix(root).expect("below the root");
                    found.insert(name.to_owned(), file.display().to_string());
                }
                is_test = false;
            }
        }
    }
}

/// True if the name starts with this id, alone or after other ids: `p1_p2_the_invariants`.
fn names(test: &str, id: &str) -> bool {
    let is_id = |part: &&str| {
        part.len() >= 2
            && part.starts_with(|first: char| first.is_ascii_lowercase())
            && part[1..].bytes().all(|byte| byte.is_ascii_digit())
    };
    test.split('_')
        .take_while(is_id)
        .any(|part| part.eq_ignore_ascii_case(id))
}

/// How the table is written anew; it stands in it, and in what the test says of a stale one.
const WRITE_IT: &str = "SAFERUN_WRITE_DOCS=1 cargo test -p saferun-tests --test promises";

/// The table, or the ids that no test bears.
fn table(found: &BTreeMap<String, String>) -> Result<String, Vec<&'static str>> {
    let mut table = format!(
        "# Failures and the tests that hold them off\n\nGenerated from the names of the tests; write it anew \
         with `{WRITE_IT}`.\nA test fails where it is not current, or where no test bears an id.\n\n\
         | id | what must hold | tests |\n|---|---|---|\n",
    );
    let mut bare = Vec::new();
    for (id, holds) in FAILURES {
        let held: Vec<String> = found
            .iter()
            .filter(|(test, _)| names(test, id))
            .map(|(test, file)| format!("`{test}` ({file})"))
            .collect();
        if held.is_empty() {
            bare.push(id);
        }
        _ = writeln!(table, "| {id} | {holds} | {} |", held.join("<br>"));
    }
    if bare.is_empty() {
        Ok(table)
    } else {
        Err(bare)
    }
}

/// `SAFERUN_WRITE_DOCS=1` writes the table anew.
#[test]
fn the_map_from_failures_to_tests_is_current_and_leaves_no_id_without_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let mut found = BTreeMap::new();
    tests(root, root, &mut found);
    assert!(found.len() > 100, "only {} tests were found", found.len());
    let table = table(&found).unwrap_or_else(|bare| {
        panic!(
            "no test's name begins with one of these ids, which docs/failures.md promises: {bare:?}"
        )
    });
    let path = root.join("docs/failures.md");
    if std::env::var_os("SAFERUN_WRITE_DOCS").is_some() {
        fs::write(&path, &table).expect("the table is written");
    }
    let stands = fs::read_to_string(&path).expect("docs/failures.md");
    let stale = stands
        .lines()
        .filter(|line| !table.contains(&format!("{line}\n")))
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        stands == table,
        "docs/failures.md is not what the tests' names say; write it anew: {WRITE_IT}\nNot true any more:\n{stale}"
    );
}

#[test]
fn an_id_that_no_test_bears_is_named() {
    let one = BTreeMap::from([("t1_nothing_survives".to_owned(), "a.rs".to_owned())]);
    let bare = table(&one).expect_err("all ids but one have no test");
    assert!(!bare.contains(&"T1") && bare.contains(&"I10"), "{bare:?}");
    assert_eq!(bare.len(), FAILURES.len() - 1);
}

/// What a promise of the threat model says that holds it: tests by name, files by path, and attempts as `init_*`.
#[test]
fn each_promise_of_the_threat_model_names_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let mut found = BTreeMap::new();
    tests(root, root, &mut found);
    let table = fs::read_to_string(root.join("docs/threat-model.md")).expect("the threat model");
    let attempts = fs::read_to_string(root.join("docs/containment.md")).expect("the attempts");
    let mut promises = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let &[promise, mechanism, held] = cells.as_slice() else {
            panic!("no promise with a mechanism and what holds it: {row}")
        };
        if promise == "promise" {
            continue;
        }
        assert!(!mechanism.is_empty(), "{promise}");
        let names: Vec<&str> = held.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing holds the promise: {promise}");
        for name in names {
            let is_there = match name.strip_suffix('*') {
                Some(start) => attempts.contains(&format!("| `{start}")),
                None if name.contains('/') => root.join(name).exists(),
                None => found.contains_key(name),
            };
            assert!(is_there, "{promise}: there is no {name}");
        }
        promises += 1;
    }
    assert!(promises >= 20, "only {promises} promises were read");
}

#[test]
fn ids_are_read_from_the_front_of_a_name_only() {
    assert!(names("p1_p2_the_invariants_hold", "P2"));
    assert!(names("i10_the_library_imports", "I10"));
    assert!(!names("i10_the_library_imports", "I1"));
    assert!(!names("the_p2_case", "P2"));
}
