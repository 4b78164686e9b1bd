//! From a run's events, or from all that it wrote, to subscription items.

use jsonrpsee::{SubscriptionSink, core::to_json_raw_value};
use saferun_protocol::Event;
use tokio::sync::mpsc;

use crate::runs::{LogPlace, Transcript};

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

/// Passes on what a run wrote and writes, from the `from`th byte on, until its end if `follow`, else what there is.
pub(crate) async fn follow(sink: &SubscriptionSink, log: &Transcript, from: usize, follow: bool) {
    let mut changes = log.watch();
    let mut place = LogPlace::at(from);
    loop {
        changes.mark_unchanged();
        while let Some(event) = log.next(&mut place) {
            let last = matches!(event, Event::Finished { .. });
            if !send(sink, &event).await || last {
                return;
            }
        }
        if !follow {
            return;
        }
        tokio::select! {
            news = changes.changed() => if news.is_err() { return },
            () = sink.closed() => return,
        }
    }
}
