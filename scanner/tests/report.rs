//! What a report says beside its findings: suppressions, usages, positions, and the same after edits.

use saferun_scanner::{Document, Level, Options, Report, UsageKind, scan};

fn honouring() -> Options {
    Options {
        honour_suppressions: true,
        ..Options::default()
    }
}

fn has(report: &Report, rule: &str) -> bool {
    report.findings.iter().any(|finding| finding.rule == rule)
}

#[test]
fn a_reason_silences_and_stays_visible() {
    let code = "exec(x)  # saferun: ignore[SR101] a plug-in of ours\n";
    let report = scan(code, &honouring());
    assert!(!has(&report, "SR101"));
    assert_eq!(report.suppressed.len(), 1);
    assert_eq!(report.suppressed[0].reason, "a plug-in of ours");
    assert_eq!(report.risk(), Level::Low);
}

#[test]
fn a_comment_above_speaks_of_the_next_line() {
    let code = "# saferun: ignore[dynamic-code] a plug-in of ours\nexec(x)\nexec(y)\n";
    let report = scan(code, &honouring());
    assert_eq!(report.suppressed.len(), 1);
    assert!(has(&report, "SR101"));
}

#[test]
fn no_reason_or_another_rule_silences_nothing() {
    for comment in [
        "# saferun: ignore[SR101]",
        "# saferun: ignore[SR999] why",
        "# saferun: ignore why",
    ] {
        let report = scan(&format!("exec(x)  {comment}\n"), &honouring());
        assert!(has(&report, "SR101"), "{comment}");
        assert!(report.suppressed.is_empty());
    }
    assert!(has(
        &scan("exec(x)  # saferun: ignore[SR101]\n", &honouring()),
        "SR004"
    ));
}

#[test]
fn untrusted_code_cannot_silence() {
    let code = "exec(x)  # saferun: ignore[SR101] trust me\n";
    assert!(has(&scan(code, &Options::default()), "SR101"));
    let text = "s = '# saferun: ignore[SR101] why'; exec(x)\n";
    assert!(has(&scan(text, &honouring()), "SR101"));
}

#[test]
fn usages_are_resolved_names() {
    let code = "import os.path as p, requests\nfrom shutil import rmtree as r\nr(p.join('a', 'b'))\nx = requests.codes\nopen('in.txt')\n";
    let report = scan(code, &Options::default());
    let uses = |kind, name: &str| {
        report
            .usages
            .iter()
            .any(|usage| usage.kind == kind && usage.name == name)
    };
    assert!(uses(UsageKind::Import, "os.path"));
    assert!(uses(UsageKind::Import, "requests"));
    assert!(uses(UsageKind::Call, "shutil.rmtree"));
    assert!(uses(UsageKind::Call, "os.path.join"));
    assert!(uses(UsageKind::Attribute, "requests.codes"));
    assert!(uses(UsageKind::Call, "builtins.open"));
    assert!(uses(UsageKind::Path, "in.txt"));
    assert!(uses(UsageKind::Path, "a/b"));
}

#[test]
fn modules_that_nothing_binds_are_used_too_and_those_that_a_local_name_hides_are_not() {
    let names = |code: &str| -> Vec<String> {
        let usages = scan(code, &Options::default()).usages;
        let named = usages.iter().filter(|one| one.kind != UsageKind::Import);
        named.map(|usage| usage.name.clone()).collect()
    };
    for (code, name) in [
        ("x = os.environ", "os.environ"),
        ("import os\nx = os.environ", "os.environ"),
        ("import os\nx = os.environ['HOME']", "os.environ"),
        ("x = sys.argv", "sys.argv"),
        ("import sys\nx = sys.stdin", "sys.stdin"),
        ("os.system('id')", "os.system"),
        ("def f():\n return ctypes.CDLL", "ctypes.CDLL"),
    ] {
        let found = names(code);
        assert!(found.iter().any(|one| one == name), "{code}: {found:?}");
    }
    for code in [
        "class os: environ = {}\nx = os.environ",
        "def f(os): return os.environ",
        "os = f()\nx = os.environ",
    ] {
        let found = names(code);
        assert!(
            !found.iter().any(|one| one == "os.environ"),
            "{code}: {found:?}"
        );
    }
}

#[test]
fn positions_count_characters() {
    let report = scan("é = 'ü'; exec(é_)\n", &Options::default());
    let finding = report
        .findings
        .iter()
        .find(|finding| finding.rule == "SR101")
        .expect("found");
    assert_eq!(
        (finding.range.start.line, finding.range.start.column),
        (1, 10)
    );
}

#[test]
fn edits_follow_the_text() {
    let mut document = Document::new("import os\nos.getcwd()\n", Options::default());
    assert!(document.report().findings.is_empty());
    document.apply_edit(13..19, "system").expect("inside");
    let report = document.report();
    assert!(
        has(&report, "SR201"),
        "{:#?}\n{}",
        report.findings,
        document.text()
    );
    document.apply_edit(20..20, "'rm -rf ~'").expect("inside");
    assert_eq!(document.report().risk(), Level::Blocked);
    assert!(document.apply_edit(500..501, "x").is_err());
    assert!(document.text().contains("rm -rf"));
}

#[test]
fn broken_code_is_still_analysed_and_never_low() {
    for code in [
        "import os\nos.system('rm -rf ~'\nx = = 1\n",
        "def f(:\n    os.system('rm -rf ~')\n",
    ] {
        let report = scan(code, &Options::default());
        assert!(report.risk() >= Level::Medium, "{code}");
        assert!(has(&report, "SR001"), "{code}");
    }
    assert!(has(&scan("print 'x'\n", &Options::default()), "SR002"));
}

#[test]
fn decoded_code_is_judged_where_it_runs() {
    let code = "exec('import shutil\\nshutil.rmtree(\"/\")')\n";
    let report = scan(code, &Options::default());
    let finding = report
        .findings
        .iter()
        .find(|finding| finding.rule == "SR301")
        .expect("found");
    assert_eq!(finding.level, Level::Blocked);
    assert!(finding.message.starts_with("decoded code runs here"));
    assert_eq!(finding.range.start.line, 1);
}
