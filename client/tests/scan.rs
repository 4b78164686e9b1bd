//! `scan` of plain paths and of standard input: its exit codes, with the real binary.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// A text for each level, the lowest first.
const TEXTS: [(&str, &str); 4] = [
    ("LOW", "open('notes.txt', 'w').write('x')\n"),
    ("MEDIUM", "x = = 1\n"),
    ("HIGH", "exec(input())\n"),
    ("BLOCKED", "import os\nos.system('rm -rf ~')\n"),
];

fn scan(folder: &Path, arguments: &[&str], input: Option<&[u8]>) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_saferunctl"))
        .arg("scan")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("saferunctl starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    if let Some(input) = input {
        stdin.write_all(input).expect("it is read");
    }
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn fail_on_decides_between_0_and_1_for_each_level() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("clean.py"), "x = 1\n").expect("a file");
    for (risk, text) in TEXTS {
        fs::write(folder.path().join(format!("{risk}.py")), text).expect("a file");
    }
    for (at, (threshold, _)) in TEXTS.into_iter().enumerate() {
        for (index, (risk, _)) in TEXTS.into_iter().enumerate() {
            let name = format!("{risk}.py");
            let arguments = ["--format", "json", "--fail-on", threshold, &name];
            let output = scan(folder.path(), &arguments, None);
            assert_eq!(json(&output)["summary"]["risk"], risk);
            let wanted = i32::from(index >= at);
            assert_eq!(code(&output), wanted, "{risk} with --fail-on {threshold}");
        }
        let clean = scan(folder.path(), &["--fail-on", threshold, "clean.py"], None);
        assert_eq!(code(&clean), 0, "nothing was found: {threshold}");
        let all = scan(folder.path(), &["--fail-on", threshold, "."], None);
        assert_eq!(code(&all), 1, "the worst file decides: {threshold}");
    }
    let unsaid = |name: &str| code(&scan(folder.path(), &[name], None));
    assert_eq!(unsaid("MEDIUM.py"), 0);
    assert_eq!(unsaid("HIGH.py"), 1, "HIGH is the level that is not said");
}

#[test]
fn what_cannot_be_read_or_is_nothing_ends_with_2() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("clean.py"), "x = 1\n").expect("a file");
    fs::write(folder.path().join("bad.py"), TEXTS[3].1).expect("a file");
    fs::create_dir(folder.path().join("empty")).expect("a folder");
    for arguments in [
        &["missing.py"][..],
        &["clean.py", "missing.py"],
        &["bad.py", "missing.py"],
        &["empty"],
        &["--fail-on", "TERRIBLE", "clean.py"],
        &[],
    ] {
        let output = scan(folder.path(), arguments, None);
        assert_eq!(code(&output), 2, "{arguments:?}: {output:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?} says nothing");
    }
    let both = scan(
        folder.path(),
        &["--format", "json", "bad.py", "missing.py"],
        None,
    );
    assert_eq!(
        json(&both)["summary"]["risk"],
        "BLOCKED",
        "a file that is not there hides nothing"
    );
}

#[test]
fn standard_input_is_named_and_read_by_its_filename() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = |name: &str, input: &[u8]| {
        let arguments = ["--format", "json", "--stdin-filename", name, "-"];
        scan(folder.path(), &arguments, Some(input))
    };
    let bad = TEXTS[3].1.as_bytes();
    let python = shown("src/tool.py", bad);
    assert_eq!(code(&python), 1);
    let file = &json(&python)["files"][0];
    assert_eq!(file["path"], "src/tool.py");
    assert_eq!(file["findings"][0]["range"]["start"]["line"], 2);

    let notebook = br#"{"nbformat":4,"cells":[{"cell_type":"markdown","source":"a"},{"cell_type":"code","source":"import os\nos.system('rm -rf ~')"}]}"#;
    let cells = shown("a.ipynb", notebook);
    assert_eq!(code(&cells), 1);
    assert_eq!(json(&cells)["files"][0]["findings"][0]["cell"], 2);

    let prose = b"Try this:\n\n```python\nimport os\nos.system('rm -rf ~')\n```\n";
    let fenced = shown("answer.md", prose);
    assert_eq!(code(&fenced), 1);
    let finding = &json(&fenced)["files"][0]["findings"][0];
    assert_eq!(finding["range"]["start"]["line"], 5);
    assert_eq!(code(&shown("answer.md", b"# only words\n")), 2);
    assert_eq!(code(&shown("tool.py", b" \n")), 2, "nothing is not safe");

    let unnamed = scan(folder.path(), &["--format", "json", "-"], Some(bad));
    assert_eq!(json(&unnamed)["files"][0]["path"], "<stdin>");
    // The name is only a name: no file of it is looked for, or read.
    fs::write(folder.path().join("tool.py"), bad).expect("a file");
    assert_eq!(code(&shown("tool.py", b"x = 1\n")), 0);
}
