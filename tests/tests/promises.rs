//! The map from the failures that tools of this kind have had to the tests that hold them off: found by
//! the ids in the tests' names, so that it cannot claim a test that does not exist.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

/// Crash and orphans, warm pool, engine, isolation: id and what must hold.
const FAILURES: [(&str, &str); 31] = [
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

/// `SAFERUN_WRITE_DOCS=1` writes the table anew.
#[test]
fn the_map_from_failures_to_tests_claims_nothing_untrue() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let mut found = BTreeMap::new();
    tests(root, root, &mut found);
    assert!(found.len() > 100, "only {} tests were found", found.len());
    let mut table = String::from(
        "# Failures and the tests that hold them off\n\nGenerated from the names of the tests; write it anew \
         with `SAFERUN_WRITE_DOCS=1 cargo test -p saferun-tests --test promises`.\n\
         **no test yet** is said where no test bears the id; it is a gap.\n\n\
         | id | what must hold | tests |\n|---|---|---|\n",
    );
    for (id, holds) in FAILURES {
        let held: Vec<String> = found
            .iter()
            .filter(|(test, _)| names(test, id))
            .map(|(test, file)| format!("`{test}` ({file})"))
            .collect();
        let held = if held.is_empty() {
            "**no test yet**".to_owned()
        } else {
            held.join("<br>")
        };
        _ = writeln!(table, "| {id} | {holds} | {held} |");
    }
    let path = root.join("docs/failures.md");
    if std::env::var_os("SAFERUN_WRITE_DOCS").is_some() {
        fs::write(&path, &table).expect("the table is written");
    }
    // Every id has its row, and no test is claimed that does not exist. A test that is newer than the
    // table does not make it wrong.
    let stands = fs::read_to_string(&path).expect("docs/failures.md");
    for (id, _) in FAILURES {
        let row = stands
            .lines()
            .find(|line| line.starts_with(&format!("| {id} |")))
            .unwrap_or_else(|| panic!("docs/failures.md has no row for {id}"));
        for test in row.split('`').skip(1).step_by(2) {
            assert!(
                found.contains_key(test),
                "docs/failures.md claims {test} for {id}, which does not exist"
            );
        }
    }
}

#[test]
fn ids_are_read_from_the_front_of_a_name_only() {
    assert!(names("p1_p2_the_invariants_hold", "P2"));
    assert!(names("i10_the_library_imports", "I10"));
    assert!(!names("i10_the_library_imports", "I1"));
    assert!(!names("the_p2_case", "P2"));
}
