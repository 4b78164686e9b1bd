//! What reports look like, and that untrusted code cannot act through them.

use saferun_scanner::extract::{FileReport, SourceKind, scan_bytes};
use saferun_scanner::report::{NothingScanned, TextOptions, github, json, sarif, summary, text};
use saferun_scanner::{Evidence, Finding, Level, Options, Position, Range, Report, Suppressed};

fn range(line: u32, from: u32, to: u32) -> Range {
    Range {
        start: Position { line, column: from },
        end: Position { line, column: to },
    }
}

fn finding(level: Level, message: &str, at: Range) -> Finding {
    Finding {
        rule: "SR101".into(),
        name: "shell-command".into(),
        level,
        message: message.into(),
        range: at,
        bytes: (0, 1),
        cwe: Some(78),
        subject: String::new(),
        evidence: Vec::new(),
        cell: None,
    }
}

fn file(name: &str, source: &str, findings: Vec<Finding>) -> FileReport {
    FileReport {
        name: name.into(),
        kind: SourceKind::Python,
        encoding: "utf-8".into(),
        notes: Vec::new(),
        report: Report {
            findings,
            ..Report::default()
        },
        texts: vec![source.into()],
        blocks: 1,
    }
}

const SOURCE: &str = "import os\nkey = open('k').read()\nif key:\n\tos.system('é' + key)\n";

fn example() -> FileReport {
    let mut flow = finding(Level::High, "runs `key` in a shell", range(4, 2, 22));
    flow.evidence = vec![
        Evidence {
            message: "the file is read".into(),
            range: range(2, 7, 23),
        },
        Evidence {
            message: "and reaches the shell".into(),
            range: range(4, 12, 21),
        },
    ];
    let mut example = file("src/a b.py", SOURCE, vec![flow]);
    let silenced = finding(Level::Medium, "starts a program", range(1, 1, 10));
    example.report.suppressed.push(Suppressed {
        finding: silenced,
        reason: "build step".into(),
    });
    example
}

#[test]
fn text_has_carets_and_steps() {
    let shown = text(&[example()], TextOptions::default()).unwrap();
    let expected = "\
HIGH SR101 shell-command: runs `key` in a shell
 --> src/a b.py:4:2
  |
4 |     os.system('é' + key)
  |     ^^^^^^^^^^^^^^^^^^^^
  = step 1, src/a b.py:2:7: the file is read
      key = open('k').read()
  = step 2, src/a b.py:4:12: and reaches the shell
      os.system('é' + key)

suppressed SR101 shell-command at src/a b.py:1:1: build step

1 file: 1 HIGH; risk HIGH; 1 suppressed
";
    assert_eq!(shown, expected);
    let coloured = text(
        &[example()],
        TextOptions {
            color: true,
            ..TextOptions::default()
        },
    )
    .unwrap();
    assert!(coloured.contains("\u{1b}[31mHIGH\u{1b}[0m"));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let evil = "x = '\u{1b}]0;owned\u{7}\u{202e}\u{200b}\u{9b}31m'\n";
    let found = finding(
        Level::Low,
        "bad \u{1b}[2J \u{202e} name\nnext",
        range(1, 1, 4),
    );
    let mut reported = file("a\u{1b}[1m.py", evil, vec![found]);
    reported.notes.push("note \u{7}".into());
    let files = [reported];
    let shown = text(&files, TextOptions::default()).unwrap();
    assert!(
        !shown.chars().any(|c| c.is_control() && c != '\n'),
        "{shown:?}"
    );
    assert!(!shown.contains(['\u{202e}', '\u{200b}']));
    let annotations = github(&files).unwrap();
    assert!(
        !annotations.chars().any(|c| c.is_control() && c != '\n'),
        "{annotations:?}"
    );
    assert_eq!(annotations.lines().count(), 1);
}

#[test]
fn long_lines_are_cut_around_the_mark() {
    let source = format!("{}evil(){}", "x; ".repeat(2000), "; y".repeat(2000));
    let shown = text(
        &[file(
            "a.py",
            &source,
            vec![finding(Level::High, "m", range(1, 6001, 6007))],
        )],
        TextOptions::default(),
    )
    .unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(
        lines.iter().all(|line| line.chars().count() < 140),
        "{shown}"
    );
    let at = lines[4].find('^').unwrap();
    let code: String = lines[3]
        .chars()
        .skip(lines[4][..at].chars().count())
        .take(6)
        .collect();
    assert_eq!(code, "evil()");
}

#[test]
fn places_outside_of_the_text_do_not_panic() {
    for place in [
        range(99, 1, 2),
        range(1, 999, 1000),
        range(0, 0, 0),
        range(5, 1, 1),
    ] {
        let files = [file("a.py", SOURCE, vec![finding(Level::Low, "m", place)])];
        text(&files, TextOptions::default()).unwrap();
        sarif(&files).unwrap();
        github(&files).unwrap();
    }
}

#[test]
fn json_has_the_published_shape() {
    let value: serde_json::Value = serde_json::from_str(&json(&[example()]).unwrap()).unwrap();
    let first = &value["files"][0];
    assert_eq!(first["path"], "src/a b.py");
    assert_eq!(first["risk"], "HIGH");
    let found = &first["findings"][0];
    assert_eq!(found["rule"], "SR101");
    assert_eq!(found["level"], "HIGH");
    assert_eq!(
        found["range"]["start"],
        serde_json::json!({"line": 4, "column": 2})
    );
    assert_eq!(
        found["range"]["end"],
        serde_json::json!({"line": 4, "column": 22})
    );
    assert_eq!(found["cwe"], 78);
    assert_eq!(found["evidence"].as_array().unwrap().len(), 2);
    assert_eq!(first["suppressed"][0]["reason"], "build step");
    assert_eq!(value["summary"]["files"], 1);
    assert_eq!(value["summary"]["risk"], "HIGH");
    assert_eq!(value["summary"]["findings"]["HIGH"], 1);
    assert_eq!(value["summary"]["files_by_risk"]["HIGH"], 1);
    assert_eq!(value["summary"]["suppressed"], 1);
}

#[test]
fn sarif_is_valid_by_the_published_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("report/sarif-2.1.0-rtm.5.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let cell = "{\"nbformat\":4,\"cells\":[{\"cell_type\":\"code\",\"source\":\"!rm -rf ~\"}]}";
    let mut stopped = file(
        "C:\\x\\é.py",
        SOURCE,
        vec![finding(Level::Blocked, "m", range(0, 0, 0))],
    );
    stopped.report.incomplete = true;
    let files = [
        example(),
        scan_bytes("n.ipynb", cell.as_bytes(), &Options::default()),
        stopped,
        file("", "", Vec::new()),
    ];
    let log: serde_json::Value = serde_json::from_str(&sarif(&files).unwrap()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&log)
        .map(|error| format!("{} at {}", error, error.instance_path))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() >= 4);
    for result in results {
        let level = result["properties"]["riskLevel"].as_str().unwrap();
        assert!(["LOW", "MEDIUM", "HIGH", "BLOCKED"].contains(&level));
        result["properties"]["security-severity"]
            .as_str()
            .unwrap()
            .parse::<f64>()
            .unwrap();
    }
    assert_eq!(
        results[0]["codeFlows"][0]["threadFlows"][0]["locations"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(results[1]["suppressions"][0]["justification"], "build step");
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert!(results.iter().all(|r| rules
        [usize::try_from(r["ruleIndex"].as_u64().unwrap()).unwrap()]["id"]
        == r["ruleId"]));
}

#[test]
fn github_escapes_properties_and_messages() {
    let found = finding(Level::Blocked, "50% of\r\n::error::x", range(2, 3, 9));
    let lines = github(&[file("a,b:c.py", SOURCE, vec![found])]).unwrap();
    assert_eq!(
        lines,
        "::error file=a%2Cb%3Ac.py,line=2,endLine=2,col=3,endColumn=9,title=BLOCKED SR101 shell-command::50%25 of%0D%0A::error::x\n"
    );
}

#[test]
fn nothing_scanned_is_an_error() {
    assert_eq!(summary(&[]), Err(NothingScanned));
    let prose = scan_bytes("a.md", b"# no code\n", &Options::default());
    assert_eq!(summary(std::slice::from_ref(&prose)), Err(NothingScanned));
    assert!(text(std::slice::from_ref(&prose), TextOptions::default()).is_err());
    assert!(json(std::slice::from_ref(&prose)).is_err());
    assert!(sarif(std::slice::from_ref(&prose)).is_err());
    assert!(github(&[prose]).is_err());
    assert!(summary(&[file("a.py", "", Vec::new())]).is_ok());
}
