//! The numbers of the page, for another program: medians in seconds, and what a person waits for in milliseconds.

use serde_json::{Map, Value, json};

use crate::latency::Latency;
use crate::measure::{Times, median, share};
use crate::texts::{Text, bytes};

/// All that `make bench` needs.
pub(crate) fn numbers(folder: &str, texts: &[Text], times: &Times, latency: &[Latency]) -> Value {
    let tools: Map<String, Value> = times
        .tools
        .iter()
        .filter_map(|tool| Some((tool.name.clone(), json!(tool.median()?.as_secs_f64()))))
        .collect();
    let latency: Vec<Value> = latency
        .iter()
        .map(|one| {
            json!({
                "lines": one.lines,
                "keystroke_p50_ms": median(&one.keystroke).as_secs_f64() * 1e3,
                "keystroke_p95_ms": share(&one.keystroke, 0.95).as_secs_f64() * 1e3,
            })
        })
        .collect();
    json!({
        "folder": folder, "files": texts.len(), "bytes": bytes(texts),
        "bare_s": median(&times.bare[0]).as_secs_f64(), "scan_s": median(&times.scan[0]).as_secs_f64(),
        "tools_s": tools, "latency": latency,
    })
}
