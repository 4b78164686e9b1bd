//! A notebook made of cells with any content: each finding has a cell that is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_scanner::{Options, extract::scan_bytes};

fuzz_target!(|cells: Vec<(bool, Vec<String>)>| {
    let cells: Vec<serde_json::Value> = cells
        .iter()
        .take(16)
        .map(|(code, source)| {
            serde_json::json!({
                "cell_type": if *code { "code" } else { "markdown" },
                "source": source,
            })
        })
        .collect();
    let count = cells.len();
    let text = serde_json::json!({ "nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells });
    let options = Options { max_steps: 100_000, honour_suppressions: true };
    let report = scan_bytes("a.ipynb", text.to_string().as_bytes(), &options);
    for finding in &report.report.findings {
        if let Some(cell) = finding.cell {
            assert!(cell as usize <= count, "cell {cell} of {count}");
        }
    }
});
