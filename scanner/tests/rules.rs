//! Each rule has a fixture with cases that raise it and cases that do not, a caret snapshot, and an explanation.
//! A case starts after `# fires`, `# fires within N steps` or `# silent` and is a program of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use saferun_scanner::{Options, Report, explain, rules, scan};

struct Case {
    fires: bool,
    /// The budget of the scan, where the case is about it.
    steps: Option<u64>,
    code: String,
}

impl Case {
    fn new(fires: bool, steps: Option<u64>) -> Self {
        Self {
            fires,
            steps,
            code: String::new(),
        }
    }

    fn scan(&self) -> Report {
        let mut options = Options::default();
        if let Some(steps) = self.steps {
            options.max_steps = steps;
        }
        scan(&self.code, &options)
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        match line {
            "# fires" => cases.push(Case::new(true, None)),
            "# silent" => cases.push(Case::new(false, None)),
            _ if line.starts_with("# fires within ") => {
                let steps = line.split(' ').nth(3).and_then(|steps| steps.parse().ok());
                assert!(steps.is_some(), "`{line}` has no number of steps");
                cases.push(Case::new(true, steps));
            }
            _ => {
                let case = cases.last_mut().expect("a fixture starts with a section");
                case.code.push_str(line);
                case.code.push('\n');
            }
        }
    }
    cases
}

fn fixtures() -> BTreeMap<String, Vec<Case>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).expect("fixtures") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|extension| extension == "py") {
            let stem = path
                .file_stem()
                .expect("stem")
                .to_string_lossy()
                .into_owned();
            all.insert(
                stem,
                cases(&std::fs::read_to_string(&path).expect("readable")),
            );
        }
    }
    all
}

fn raised(report: &Report, rule: &str) -> bool {
    report.findings.iter().any(|finding| finding.rule == rule)
}

/// The findings of one rule under the lines that they speak of.
fn carets(code: &str, report: &Report, rule: &str) -> String {
    let mut out = String::new();
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.rule == rule)
    {
        let line = code
            .lines()
            .nth(finding.range.start.line as usize - 1)
            .unwrap_or("");
        let from = finding.range.start.column as usize - 1;
        let to = if finding.range.end.line == finding.range.start.line {
            finding.range.end.column as usize - 1
        } else {
            line.chars().count()
        };
        let marks = "^".repeat(to.saturating_sub(from).max(1));
        writeln!(
            out,
            "{line}\n{}{marks} {} {}",
            " ".repeat(from),
            finding.level,
            finding.message
        )
        .expect("a string");
        for step in &finding.evidence {
            writeln!(
                out,
                "  {}:{} {}",
                step.range.start.line, step.range.start.column, step.message
            )
            .expect("a string");
        }
    }
    out
}

/// What is wrong between the rules and their fixtures, one line each.
fn gaps(fixtures: &BTreeMap<String, Vec<Case>>) -> Vec<String> {
    let mut gaps = Vec::new();
    let mut seen = Vec::new();
    for rule in rules() {
        let stem = format!("{}-{}", rule.id, rule.name);
        match fixtures.get(&stem) {
            None => gaps.push(format!("no fixture {stem}.py")),
            Some(cases) => {
                for (fires, what) in [(true, "firing"), (false, "silent")] {
                    if !cases.iter().any(|case| case.fires == fires) {
                        gaps.push(format!("{stem}.py has no {what} case"));
                    }
                }
            }
        }
        seen.push(stem);
    }
    for stem in fixtures.keys().filter(|stem| !seen.contains(stem)) {
        gaps.push(format!("fixture {stem}.py has no rule"));
    }
    gaps
}

#[test]
fn every_rule_has_a_fixture_and_every_fixture_a_rule() {
    let gaps = gaps(&fixtures());
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

#[test]
fn a_missing_fixture_or_case_is_noticed() {
    let mut fixtures = fixtures();
    let first = fixtures.keys().next().expect("fixtures").clone();
    let cases = fixtures.remove(&first).expect("it is there");
    assert_eq!(gaps(&fixtures), [format!("no fixture {first}.py")]);

    let silent = cases.into_iter().filter(|case| !case.fires).collect();
    fixtures.insert(first.clone(), silent);
    assert_eq!(gaps(&fixtures), [format!("{first}.py has no firing case")]);

    fixtures.insert("SR999-nothing".to_owned(), Vec::new());
    assert!(gaps(&fixtures).contains(&"fixture SR999-nothing.py has no rule".to_owned()));
}

#[test]
fn fixtures_fire_and_stay_silent() {
    let mut wrong = Vec::new();
    for (stem, cases) in fixtures() {
        let rule = &stem[..5];
        for case in cases {
            let report = case.scan();
            if raised(&report, rule) != case.fires {
                let found: Vec<_> = report.findings.iter().map(|f| f.rule.as_str()).collect();
                wrong.push(format!(
                    "{stem} fires={} found={found:?}\n{}",
                    case.fires, case.code
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn carets_stand_where_the_rule_looks() {
    for (stem, cases) in fixtures() {
        let rule = &stem[..5];
        let mut shown = String::new();
        for case in cases.iter().filter(|case| case.fires) {
            let report = case.scan();
            shown.push_str(&carets(&case.code, &report, rule));
            shown.push('\n');
        }
        insta::assert_snapshot!(stem, shown);
    }
}

#[test]
fn every_rule_explains_itself() {
    let mut ids = Vec::new();
    for rule in rules() {
        assert!(
            rule.id.starts_with("SR") && rule.id.len() == 5,
            "{}",
            rule.id
        );
        assert!(!ids.contains(&rule.id), "{} stands twice", rule.id);
        ids.push(rule.id);
        for text in [rule.message, rule.why, rule.bad, rule.safer] {
            assert!(text.len() > 5, "{} has an empty text", rule.id);
        }
        let kebab = rule
            .name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(kebab, "{}", rule.name);
        let document = explain(rule.id).expect("a document");
        assert!(document.markdown().contains(rule.why));
        assert!(explain(rule.name).is_some());
    }
    assert!(ids.len() >= 120, "{} rules", ids.len());
    assert!(explain("SR999").is_none());
}

#[test]
fn the_limit_is_a_finding() {
    let code = "x = [1, 2, 3]\n".repeat(100);
    let report = scan(
        &code,
        &Options {
            max_steps: 50,
            ..Options::default()
        },
    );
    assert!(report.incomplete);
    assert!(raised(&report, "SR003"));
    assert_eq!(report.risk(), saferun_scanner::Level::High);
}
