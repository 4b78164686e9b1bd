//! One mistake for each file of `invalid/`, named after it, with a snapshot of what is said about it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use saferun_policy::{
    DecisionRequest, Diagnostic, Diagnostics, LayerKind, MAX_BYTES, Source, check, load,
};
use saferun_scanner::{Level, Position, Range, Report, Usage, UsageKind};

fn corpus() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let entries = fs::read_dir(folder).expect("the corpus");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .expect("a plain name");
            (name.to_owned(), fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    files.sort();
    files
}

fn complaints(name: &str, text: &str) -> Vec<Diagnostic> {
    let layer = match name.split('-').next() {
        Some("project") => LayerKind::Project,
        Some("system") => LayerKind::System,
        _ => LayerKind::User,
    };
    check(&Source::yaml(layer, format!("{name}.yaml"), text))
}

#[test]
fn every_mistake_is_found_once_and_explained() {
    let files = corpus();
    assert!(files.len() >= 60, "{} files", files.len());
    let mut wrong = Vec::new();
    for (name, text) in files {
        let found = complaints(&name, &text);
        if found.len() != 1 {
            wrong.push(format!(
                "{name}: {} messages: {}",
                found.len(),
                Diagnostics(found.clone())
            ));
        }
        let message = Diagnostics(found).to_string();
        assert!(
            !message
                .chars()
                .any(|c| c.is_control() && c != '\n' && c != '\t'),
            "{name}: {message:?}"
        );
        insta::assert_snapshot!(name.as_str(), message);
    }
    assert!(
        wrong.is_empty(),
        "one mistake, one message:\n{}",
        wrong.join("\n")
    );
}

/// A repaired copy of a file has nothing wrong: the mistake is the only one.
#[test]
fn a_sound_file_has_no_complaint() {
    let text = "version: 1\nlimits:\n  memory: {default: 64MiB, max: 512MiB}\nrules: {shell-command: off}\n";
    assert_eq!(complaints("sound", text), []);
}

#[test]
fn bombs_and_deep_nesting_are_answered_at_once() {
    let deep_flow = "[".repeat(100_000);
    let within = "[".repeat(MAX_BYTES - 1);
    let braces = "{a: ".repeat(MAX_BYTES / 4 - 1);
    let lines = |count: usize, line: &dyn Fn(usize) -> String| {
        (0..count).map(line).collect::<Vec<_>>().concat()
    };
    let block = lines(300, &|depth| format!("{}a:\n", " ".repeat(depth)));
    let dashes = "- ".repeat(MAX_BYTES / 2 - 1);
    let names = lines(9000, &|number| format!("a{number}, "));
    let many = format!("version: 1\nimports:\n  block: [{names}]\n");
    let wide = lines(8000, &|number| format!("k{number}: 1\n"));
    let bomb = lines(60, &|level| {
        format!(
            "a{}: &a{} [*a{level}, *a{level}, *a{level}]\n",
            level + 1,
            level + 1
        )
    });
    let long_key = format!("{}: 1\n", "k".repeat(MAX_BYTES - 10));
    let long_rule = format!(
        "version: 1\nrules: {{{}: off}}\n",
        "k".repeat(MAX_BYTES - 40)
    );
    let long_rules = lines(4, &|number| {
        format!("  k{number}{}: off\n", "k".repeat(16_000))
    });
    let long_rules = format!("version: 1\nrules:\n{long_rules}");
    let stars = format!("version: 1\ncalls: {{block: ['{}']}}\n", "*a".repeat(120));
    for (name, text) in [
        ("deep_flow", deep_flow),
        ("within", within),
        ("braces", braces),
        ("block", block),
        ("dashes", dashes),
        ("many", many),
        ("wide", wide),
        ("bomb", bomb),
        ("long_key", long_key),
        ("long_rule", long_rule),
        ("long_rules", long_rules),
        ("stars", stars),
    ] {
        let begun = Instant::now();
        let found = complaints(name, &text);
        let took = begun.elapsed();
        // Milliseconds in a release build; the bound leaves room for a debug build on a busy machine.
        assert!(found.len() <= 101, "{name}: {} messages", found.len());
        assert!(took < Duration::from_secs(5), "{name} took {took:?}");
        assert!(
            name == "stars" || found.iter().any(Diagnostic::is_error),
            "{name}"
        );
        assert!(Diagnostics(found).to_string().len() < 1 << 20, "{name}");
    }
}

#[test]
fn patterns_over_paths_have_a_bound_over_all_files() {
    let paths = |count: usize| {
        let paths: Vec<String> = (0..count)
            .map(|at| format!("'a{at}/[b-y]/{{c,d}}*'"))
            .collect();
        format!("version: 1\npaths:\n  block: [{}]\n", paths.join(", "))
    };
    let project = |at: usize, count| {
        Source::yaml(
            LayerKind::Project,
            format!("project{at}.yaml"),
            paths(count),
        )
    };
    let code = "open('a1999/b/c')\n";
    let report = saferun_scanner::scan(code, &saferun_scanner::Options::default());
    let request = DecisionRequest::default();
    let fits = [project(0, 2000), project(1, 2000)];
    let begun = Instant::now();
    let loaded = load(&fits).unwrap();
    let decision = loaded.policy.decide(&report, &request);
    assert_eq!(decision.risk, Level::Blocked);
    let took = begun.elapsed();
    println!("4,000 patterns over paths took {took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    let begun = Instant::now();
    let all: Vec<Source> = (0..32).map(|at| project(at, 2000)).collect();
    let Diagnostics(found) = load(&all).unwrap_err();
    let took = begun.elapsed();
    println!("64,000 patterns over paths are refused in {took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(found.len(), 1, "{found:?}");
    let first = &found[0];
    assert_eq!((first.code.as_str(), first.origin.line), ("too-many", 3));
    assert_eq!(first.origin.file, "project2.yaml");
}

#[test]
fn more_paths_than_can_be_compared_are_blocked_unlooked_at() {
    let patterns = |count: usize| {
        let patterns: Vec<String> = (0..count).map(|at| format!("'**/*{at}[b-y]'")).collect();
        format!("version: 1\npaths:\n  block: [{}]\n", patterns.join(", "))
    };
    let layer = |layer, count| Source::yaml(layer, "paths.yaml", patterns(count));
    let at = Position { line: 1, column: 1 };
    let path = |index: usize| Usage {
        kind: UsageKind::Path,
        name: format!("a/../b/{index}"),
        range: Range { start: at, end: at },
    };
    let report = |count: usize| Report {
        usages: (0..count).map(path).collect(),
        ..Report::default()
    };
    let request = DecisionRequest::default();
    let decide = |sources: &[Source], report: &Report| {
        let decision = load(sources).unwrap().policy.decide(report, &request);
        (decision.risk, decision.reasons[0].text.clone())
    };
    let most = [
        layer(LayerKind::User, 2000),
        layer(LayerKind::Project, 2000),
    ];
    let (risk, why) = decide(&most, &report(20_000));
    assert_eq!(risk, Level::Blocked);
    assert_eq!(
        why,
        "the code names so many paths that none was compared with the 4000 patterns of this policy"
    );
    // The same path again is no more work, and few patterns or few paths are compared.
    let mut same = report(1);
    same.usages = vec![path(1); 19_999];
    for (sources, report) in [
        (&most[..], same),
        (&most[..], report(4)),
        (&[layer(LayerKind::User, 4)][..], report(2_000)),
    ] {
        assert_eq!(decide(sources, &report).0, Level::Low);
    }
}

#[test]
fn variables_and_flags_are_layers_too() {
    let say = |source: Option<Source>| source.map(|source| Diagnostics(check(&source)).to_string());
    let variable = |name: &str, value: &str| say(Source::variable(name, value));
    assert_eq!(variable("SAFERUN_SOCKET", "/tmp/x"), None);
    assert_eq!(variable("PATH", "/bin"), None);
    for (name, value) in [
        ("SAFERUN_POLICY", "strict"),
        ("SAFERUN_LIMITS_MEMORY_MAX", "4GiB"),
        ("SAFERUN_LIMITS_PIDS", "100"),
        ("SAFERUN_LEVELS_HIGH", "refuse"),
        ("SAFERUN_IMPORTS_BLOCK", "os, sys"),
        ("SAFERUN_OVERRIDE_WHO", "terminal"),
        ("SAFERUN_LIMITS_RATE_PER_CLIENT", "10/1m,100/1h"),
    ] {
        assert_eq!(variable(name, value).as_deref(), Some(""), "{name}={value}");
    }
    let wrong: Vec<String> = [
        variable("SAFERUN_POLICY", "strikt"),
        variable("SAFERUN_LIMITS_MEMROY", "1GiB"),
        variable("SAFERUN_LIMITS_MEMORY", "1G"),
        variable("SAFERUN_ALERTS_COMMAND", "/tmp/x"),
        variable("SAFERUN_OVERRIDE_UNATTENDED", "true"),
        say(Some(Source::flag("--set", "limits.time", "soon"))),
        say(Some(Source::flag("--set", "imports.blok", "os"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    insta::assert_snapshot!("variables_and_flags", wrong.join("\n\n"));
}
