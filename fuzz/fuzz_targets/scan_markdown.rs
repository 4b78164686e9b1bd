//! Markdown with fences in any state: nothing panics, and every finding lies on a line of the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_scanner::{Options, extract::scan_bytes};

fuzz_target!(|parts: Vec<(u8, &str)>| {
    const MARKS: [&str; 8] = ["```python\n", "```\n", "~~~py\n", "~~~\n", "    ", "> ", "````python title=\"x\"\n", "\n"];
    let mut text = String::new();
    for (mark, part) in parts.into_iter().take(32) {
        text.push_str(MARKS[usize::from(mark) % MARKS.len()]);
        text.push_str(part);
        text.push('\n');
    }
    let options = Options { max_steps: 100_000, honour_suppressions: true };
    let report = scan_bytes("a.md", text.as_bytes(), &options);
    // A lone carriage return ends a line too, as in Python.
    let lines = text.split(['\n', '\r']).count();
    for finding in &report.report.findings {
        assert!((finding.range.start.line as usize) <= lines);
    }
});
