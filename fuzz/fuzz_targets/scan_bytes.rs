//! Any bytes under any kind of name: encodings, notebooks, Markdown, Python. Nothing panics, and what cannot be read
//! is a finding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_scanner::{Options, extract::scan_bytes};

const NAMES: [&str; 5] = ["a.py", "a.ipynb", "a.md", "a", "<stdin>"];

fuzz_target!(|input: (u8, &[u8])| {
    let (name, bytes) = input;
    let options = Options { max_steps: 100_000, honour_suppressions: true };
    let _ = scan_bytes(NAMES[usize::from(name) % NAMES.len()], bytes, &options);
});
