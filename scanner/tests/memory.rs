//! Short programs that would make long texts: what the scanner keeps of them has a bound. A process of its own, because the
//! kernel tells of the whole process alone how much memory it ever had.

use std::fs;

use saferun_scanner::{Options, scan};

/// What a scan may take, in MiB. The texts below take 1 to 60; without a bound each of them took gigabytes.
const MOST: u64 = 256;

/// The most memory that this process ever had, in MiB (`VmHWM` in proc(5)).
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

/// One line, and the same with a number in it many times.
fn many(before: &str, line: &str) -> String {
    let lines: Vec<String> = (0..3000)
        .map(|number| format!("y{number} = {line}"))
        .collect();
    format!(
        "x = 'a' * 1000000\nb = b'a' * 1000000\n{before}\n{}\n",
        lines.join("\n")
    )
}

#[test]
fn what_a_short_program_would_make_is_not_made() {
    let Some(before) = peak() else {
        eprintln!(
            "SKIPPED: what_a_short_program_would_make_is_not_made: there is no /proc/self/status"
        );
        return;
    };
    let long = "'b' * 500000";
    let programs = [
        (
            "str.format",
            format!("x = '{}'.format({long})", "{0}".repeat(20_000)),
        ),
        (
            "a wide column",
            format!("x = '{}'.format('b')", "{0:4000}".repeat(100_000)),
        ),
        (
            "format_map",
            format!("x = '{}'.format_map({{'k': {long}}})", "{k}".repeat(20_000)),
        ),
        (
            "%",
            format!(
                "y = {long}\nx = '{}' % ({})",
                "%s".repeat(5000),
                "y,".repeat(5000)
            ),
        ),
        (
            "% with names",
            format!("x = '{}' % {{'a': {long}}}", "%(a)s".repeat(20_000)),
        ),
        (
            "Template",
            format!(
                "from string import Template\nx = Template('{}').substitute(a={long})",
                "$a".repeat(20_000)
            ),
        ),
        (
            "translate",
            format!("x = ({long}).translate({{98: {long}}})"),
        ),
        ("ljust", "x = 'a'.ljust(4096, 'b' * 400000)".to_owned()),
        (
            "f-string",
            format!("y = {long}\nx = f'{}'", "{y}".repeat(20_000)),
        ),
        ("many of %", many("", "'%s' % x")),
        ("many of format", many("", "'{}'.format(x)")),
        ("many f-strings", many("", "f'{x}1'")),
        ("many lists of letters", many("", "list(x)")),
        ("many methods", many("", "x.replace('a', 'b')")),
        (
            "many decoders",
            many("import base64", "base64.b64encode(b)"),
        ),
        ("many joins", many("", "''.join([x[:-5], 'c'])")),
    ];
    for (name, code) in programs {
        let report = scan(&code, &Options::default());
        let most = peak().unwrap_or(u64::MAX).saturating_sub(before);
        assert!(most < MOST, "{name}: {most} MiB");
        drop(report);
    }
}

/// Folding stops where it would make too much, and the value is unknown then: never a part of it.
#[test]
fn a_text_that_is_too_long_is_unknown_and_no_part_of_it() {
    for (times, rule) in [(7, "SR102"), (70_000, "SR101")] {
        let code = format!("c = 'x' * {times}\nexec(''.join(a for a in c))\n");
        let report = scan(&code, &Options::default());
        let found = report.findings.iter().any(|one| *one.rule == *rule);
        assert!(found, "{times}: no {rule}");
    }
}
