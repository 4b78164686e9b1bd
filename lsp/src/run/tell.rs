//! What the client hears of a run: `saferun/…` notifications where it knows them, progress where it shows some, and at
//! the end a document or a message. Nothing here waits for a client that does not answer.

use std::time::Duration;

use saferun_protocol::{Event, Outcome, OutputChunk, RunResult, Stream};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower_lsp_server::{
    Client,
    ls_types::{
        MessageActionItem, MessageType, ProgressParams, ProgressParamsValue, ProgressToken,
        ShowDocumentParams, Uri, WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressEnd,
        notification::Notification, notification::Progress, request::Request,
    },
};

use crate::{
    state::Shared,
    text::{self, harmless, output},
};

/// How long a person may think about an override.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);
/// How long a client may take to make a progress bar.
const BAR_WITHIN: Duration = Duration::from_secs(2);
/// How long the word of the end comes after it, for clients without our plugin. Emacs 28's `jsonrpc-request` leaves its
/// filter when it sees the answer, and what was read with the answer is not looked at before something more is sent.
/// A run may be over before the answer to the command that started it is read.
const APART_FROM_ANSWER: Duration = Duration::from_millis(100);
/// Most lines of each part of what a run did that plugins get.
const STORY_LINES: usize = 50;
/// The reasons that a client without a text field offers.
pub(super) const REASONS: [&str; 3] = [
    "I read this code, and it is fine",
    "It is a test, and I know what it does",
    "The finding is a false alarm",
];

macro_rules! notification {
    ($name:ident, $method:literal) => {
        struct $name;
        impl Notification for $name {
            type Params = Value;
            const METHOD: &'static str = $method;
        }
    };
}

notification!(Started, "saferun/runStarted");
notification!(Happened, "saferun/runEvent");
notification!(Finished, "saferun/runFinished");

/// Asks a plugin for a reason in free text.
struct AskReason;
impl Request for AskReason {
    type Params = Value;
    type Result = Option<Value>;
    const METHOD: &'static str = "saferun/overridePrompt";
}

/// The progress bar of a run, where the client shows one.
pub(super) struct Bar(Option<oneshot::Sender<String>>);

impl Bar {
    /// Takes it away, with a last word.
    pub(super) fn end(self, message: &str) {
        if let Some(bar) = self.0 {
            // The task has gone where the client made no bar.
            let _ = bar.send(text::message(message));
        }
    }
}

/// That a run begins.
pub(super) async fn started(shared: &Shared, token: &str, uri: &Uri, title: &str) -> Bar {
    if shared.client_can().events {
        let params = json!({"token": token, "uri": uri.as_str(), "title": title});
        shared.client.send_notification::<Started>(params).await;
    }
    if !shared.client_can().progress {
        return Bar(None);
    }
    let (end, ended) = oneshot::channel();
    tokio::spawn(show_bar(
        shared.client.clone(),
        token.to_owned(),
        title.to_owned(),
        ended,
    ));
    Bar(Some(end))
}

/// One task for the beginning and the end, because a run may be over before the client has answered that it made the bar.
async fn show_bar(client: Client, token: String, title: String, ended: oneshot::Receiver<String>) {
    let token = ProgressToken::String(token);
    let bar = client.create_work_done_progress(token.clone());
    if !matches!(tokio::time::timeout(BAR_WITHIN, bar).await, Ok(Ok(()))) {
        return;
    }
    let say = async |value| {
        let params = ProgressParams {
            token: token.clone(),
            value: ProgressParamsValue::WorkDone(value),
        };
        client.send_notification::<Progress>(params).await;
    };
    say(WorkDoneProgress::Begin(WorkDoneProgressBegin {
        title,
        cancellable: Some(true),
        ..WorkDoneProgressBegin::default()
    }))
    .await;
    let message = ended.await.ok();
    say(WorkDoneProgress::End(WorkDoneProgressEnd { message })).await;
}

/// What happens in it. Output is made harmless here, once for all clients.
pub(super) async fn happened(shared: &Shared, token: &str, event: &Event) {
    if !shared.client_can().events {
        return;
    }
    let mut value = serde_json::to_value(event).unwrap_or_default();
    harmless(&mut value);
    if let Event::Output { stream, chunk } = event {
        let shown = match chunk {
            OutputChunk::Text { text } => output(text),
            OutputChunk::Base64 { base64 } => format!("[bytes that are no text: {base64}]\n"),
            OutputChunk::Gap { dropped_bytes } => format!("\n[{dropped_bytes} bytes left out]\n"),
        };
        let stream = match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        value = json!({"event": "output", "stream": stream, "text": shown});
    }
    let params = json!({"token": token, "event": value});
    shared.client.send_notification::<Happened>(params).await;
}

/// That it is over: the result for plugins, a document or a message for everybody else.
pub(super) async fn finished(
    shared: &Shared,
    token: &str,
    uri: &Uri,
    end: Result<(&RunResult, Option<std::path::PathBuf>), &str>,
) {
    let can = shared.client_can();
    if !can.events {
        tokio::time::sleep(APART_FROM_ANSWER).await;
    }
    let message = match &end {
        Ok((result, _)) => text::message(&result.message),
        Err(why) => text::message(why),
    };
    if can.events {
        let params = match &end {
            Ok((result, report)) => {
                let mut value = serde_json::to_value(result).unwrap_or_default();
                harmless(&mut value);
                json!({
                    "token": token, "uri": uri.as_str(), "result": value, "report": report,
                    "story": story(result),
                })
            }
            Err(_) => json!({"token": token, "uri": uri.as_str(), "error": message}),
        };
        shared.client.send_notification::<Finished>(params).await;
        return;
    }
    match end {
        Err(_) => {
            shared
                .client
                .show_message(MessageType::ERROR, message)
                .await;
        }
        Ok((_, None)) => {
            shared.client.show_message(MessageType::INFO, message).await;
        }
        Ok((_, Some(path))) => {
            if can.show_document
                && let Some(uri) = Uri::from_file_path(&path)
            {
                let params = ShowDocumentParams {
                    uri,
                    external: None,
                    take_focus: Some(false),
                    selection: None,
                };
                let shown = shared.client.show_document(params);
                if let Ok(Ok(true)) = tokio::time::timeout(Duration::from_secs(10), shown).await {
                    return;
                }
            }
            let message = format!("{}. See {}", message.trim_end_matches('.'), path.display());
            shared.client.show_message(MessageType::INFO, message).await;
        }
    }
}

/// What a traced run did, the surprises first, for plugins to show as it is; what limit ended it comes last.
fn story(result: &RunResult) -> Value {
    let end = (result.trace.is_some() && by_a_limit(result.status)).then(
        || json!({"title": "what ended it", "lines": [{"text": result.message}], "notes": []}),
    );
    let parts = result.story().into_iter().map(|mut part| {
        let more = part.lines.len().saturating_sub(STORY_LINES);
        part.lines.truncate(STORY_LINES);
        let more = (more > 0).then(|| format!("and {more} more"));
        let notes: Vec<String> = more.into_iter().chain(part.note).collect();
        json!({"title": part.title, "lines": part.lines, "notes": notes})
    });
    let mut story = Value::Array(parts.chain(end).collect());
    harmless(&mut story);
    story
}

/// Whether a limit ended a run.
const fn by_a_limit(status: Outcome) -> bool {
    use Outcome::{DiskFull, Oom, OutputCapped, PidsExhausted, Timeout};
    matches!(
        status,
        Timeout | Oom | PidsExhausted | DiskFull | OutputCapped
    )
}

/// The person's reason for running it anyway; `None` if there is none.
pub(super) async fn reason(shared: &Shared, why: &str) -> Option<String> {
    let why = text::message(why);
    if shared.client_can().override_prompt {
        let params = json!({"message": why, "reasons": REASONS});
        let asked = shared.client.send_request::<AskReason>(params);
        let answer = tokio::time::timeout(ANSWER_WITHIN, asked)
            .await
            .ok()?
            .ok()??;
        let reason = answer.get("reason")?.as_str()?.trim().to_owned();
        return (!reason.is_empty() && reason.len() <= 1_000).then_some(reason);
    }
    let items = REASONS.iter().chain(&["Do not run it"]);
    let items = items
        .map(|title| MessageActionItem {
            title: (*title).to_owned(),
            properties: std::collections::HashMap::new(),
        })
        .collect();
    let message = format!("SafeRun: {why} Run it anyway?");
    let asked = shared
        .client
        .show_message_request(MessageType::WARNING, message, Some(items));
    let answer = tokio::time::timeout(ANSWER_WITHIN, asked)
        .await
        .ok()?
        .ok()??;
    // Only one of our own sentences counts as a reason.
    REASONS
        .iter()
        .find(|reason| **reason == answer.title)
        .map(|reason| (*reason).to_owned())
}

#[cfg(test)]
mod tests {
    use saferun_protocol::Trace;

    use super::*;

    #[test]
    fn a_limit_that_ended_a_run_has_the_last_line_of_its_story() {
        let message = "over its time\u{1b}".to_owned();
        let mut result = RunResult::new("id".to_owned(), Outcome::Timeout, message);
        result.trace = Some(Trace::default());
        let told = story(&result);
        let last = told.as_array().and_then(|parts| parts.last()).unwrap();
        assert_eq!(last["lines"][0]["text"], "over its time\\x1b");
        result.status = Outcome::Completed;
        assert!(!story(&result).to_string().contains("over its time"));
        // The message of a run that was not traced stands alone.
        (result.status, result.trace) = (Outcome::Timeout, None);
        assert_eq!(story(&result), json!([]));
    }
}
