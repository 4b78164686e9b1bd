//! Any text is scanned without a panic, and every finding lies inside of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_scanner::{Options, scan};

fuzz_target!(|text: &str| {
    let report = scan(text, &Options { max_steps: 200_000, honour_suppressions: true });
    for finding in &report.findings {
        assert!(text.get(finding.bytes.0..finding.bytes.1).is_some());
    }
});
