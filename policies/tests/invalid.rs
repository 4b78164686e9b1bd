//! One mistake for each file of `invalid/`, named after it, with a snapshot of what is said about it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use saferun_policy::{Diagnostic, Diagnostics, LayerKind, LoadOptions, MAX_BYTES, Source, check};

const RULES: &[(&str, &str)] = &[("SR101", "shell-command"), ("SR102", "dynamic-code")];

fn corpus() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            )
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
    check(
        &Source::yaml(layer, format!("{name}.yaml"), text),
        &LoadOptions { known_rules: RULES },
    )
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
    let block: String = (0..300)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    let dashes = "- ".repeat(MAX_BYTES / 2 - 1);
    let many = format!(
        "version: 1\nimports:\n  block: [{}]\n",
        (0..9000).map(|n| format!("a{n}, ")).collect::<String>()
    );
    let wide: String = (0..8000).map(|n| format!("k{n}: 1\n")).collect();
    let mut bomb = String::from("a0: &a0 [x]\n");
    for level in 1..60 {
        bomb.push_str(&format!(
            "a{level}: &a{level} [*a{0}, *a{0}, *a{0}]\n",
            level - 1
        ));
    }
    let long_key = format!("{}: 1\n", "k".repeat(MAX_BYTES - 10));
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
        ("stars", stars),
    ] {
        let start = Instant::now();
        let found = complaints(name, &text);
        let took = start.elapsed();
        // Milliseconds in a release build; the bound leaves room for a debug build on a busy machine.
        assert!(took < Duration::from_secs(5), "{name} took {took:?}");
        assert!(
            name == "stars" || found.iter().any(Diagnostic::is_error),
            "{name}"
        );
        assert!(Diagnostics(found).to_string().len() < 1 << 20, "{name}");
    }
}

#[test]
fn variables_and_flags_are_layers_too() {
    let say = |source: Option<Source>| {
        source.map(|source| Diagnostics(check(&source, &LoadOptions::default())).to_string())
    };
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
