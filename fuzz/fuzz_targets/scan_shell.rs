//! Any shell text, and any argument list: no panic, no endless loop, and every finding lies inside of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_scanner::shell::{judge, judge_argv};

fuzz_target!(|input: (&str, Vec<Option<&str>>)| {
    let (text, arguments) = input;
    for finding in judge(text) {
        assert!(finding.start <= finding.end && finding.end <= text.len());
    }
    for finding in judge_argv(&arguments) {
        assert!(finding.start <= finding.end && finding.end <= arguments.len());
    }
});
