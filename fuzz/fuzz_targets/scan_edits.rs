//! A text that is edited piece by piece gives the report that a fresh scan of it gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_scanner::{Options, Document, scan};

fuzz_target!(|edits: (String, Vec<(u16, u8, String)>)| {
    let (text, edits) = edits;
    let options = Options { max_steps: 200_000, honour_suppressions: false };
    let mut document = Document::new(text, options.clone());
    for (at, length, with) in edits.into_iter().take(8) {
        let start = usize::from(at).min(document.text().len());
        let end = (start + usize::from(length)).min(document.text().len());
        // An edit that cuts a character is refused and changes nothing.
        let _ = document.apply_edit(start..end, &with);
    }
    let fresh = scan(document.text(), &options);
    assert_eq!(document.report(), fresh);
});
