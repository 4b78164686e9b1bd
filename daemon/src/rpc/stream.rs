//! From a run's events to subscription items, or to one result with the output in it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::{SubscriptionSink, core::to_json_raw_value};
use saferun_protocol::{Event, OutputChunk, RunResult, Stream};
use tokio::sync::mpsc;

/// Passes events on until the run ends or the subscriber is gone. Dropping `events` ends the run.
pub(crate) async fn forward(sink: &SubscriptionSink, mut events: mpsc::Receiver<Event>) {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            // A program that is silent never fails a send: the departure must be noticed by itself.
            () = sink.closed() => return,
        };
        let Some(event) = event else { return };
        if !send(sink, &event).await {
            return;
        }
    }
}

/// Sends one item; `false` if the subscriber is gone.
pub(crate) async fn send<T: serde::Serialize + Sync>(sink: &SubscriptionSink, item: &T) -> bool {
    match to_json_raw_value(item) {
        Ok(item) => sink.send(item).await.is_ok(),
        Err(error) => {
            tracing::error!(%error, "an item could not be written as JSON");
            false
        }
    }
}

/// The output of a run, put together from its events. Bounded by the run's own output limits.
#[derive(Default)]
pub(crate) struct Collected {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    stdout_gap: Option<usize>,
    stderr_gap: Option<usize>,
}

impl Collected {
    /// Takes one event.
    pub(crate) fn take(&mut self, event: Event) {
        let Event::Output { stream, chunk } = event else {
            return;
        };
        let (bytes, gap) = match stream {
            Stream::Stdout => (&mut self.stdout, &mut self.stdout_gap),
            Stream::Stderr => (&mut self.stderr, &mut self.stderr_gap),
        };
        match chunk {
            OutputChunk::Text { text } => bytes.extend_from_slice(text.as_bytes()),
            // Our own encoding: it decodes.
            OutputChunk::Base64 { base64 } => {
                bytes.extend(STANDARD.decode(base64).unwrap_or_default());
            }
            OutputChunk::Gap { .. } => *gap = Some(bytes.len()),
        }
    }

    /// Puts it into the result.
    pub(crate) fn fill(self, result: &mut RunResult) {
        let (text, raw) = text_and_raw(self.stdout, self.stdout_gap);
        (result.stdout, result.stdout_base64) = (text, raw);
        let (text, raw) = text_and_raw(self.stderr, self.stderr_gap);
        (result.stderr, result.stderr_base64) = (text, raw);
    }
}

fn text_and_raw(bytes: Vec<u8>, gap: Option<usize>) -> (String, Option<String>) {
    let marked = |head: &[u8], tail: &[u8]| {
        let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
        format!("{head}\n[... output left out ...]\n{tail}")
    };
    let raw = std::str::from_utf8(&bytes)
        .is_err()
        .then(|| STANDARD.encode(&bytes));
    let text = match gap {
        Some(at) => marked(&bytes[..at], &bytes[at..]),
        None => match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        },
    };
    (text, raw)
}
