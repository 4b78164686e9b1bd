//! A text that is edited piece by piece gives the report that a fresh scan of it gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_scanner::{Options, Scanner, scan};

fuzz_target!(|edits: (String, Vec<(u16, u8, String)>)| {
    let (text, edits) = edits;
    let options = Options { max_steps: 200_000, honour_suppressions: false };
    let mut scanner = Scanner::new(text, options.clone());
    for (at, length, with) in edits.into_iter().take(8) {
        let start = usize::from(at).min(scanner.text().len());
        let end = (start + usize::from(length)).min(scanner.text().len());
        // An edit that cuts a character is refused and changes nothing.
        let _ = scanner.edit(start..end, &with);
    }
    let fresh = scan(scanner.text(), &options);
    assert_eq!(scanner.report().findings, fresh.findings);
});
