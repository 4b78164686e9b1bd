//! What the client hears of a run: `saferun/…` notifications where it knows them, progress where it shows some, and at
//! the end a document or a message. Nothing here waits for a client that does not answer.

use std::time::Duration;

use saferun_protocol::{Event, OutputChunk, RunResult, Stream};
use serde_json::{Value, json};
use tower_lsp_server::ls_types::{
    MessageActionItem, MessageType, ProgressParams, ProgressParamsValue, ProgressToken,
    ShowDocumentParams, Uri, WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressEnd,
    notification::Notification, notification::Progress, request::Request,
};

use crate::{
    state::Shared,
    text::{one_line, output},
};

/// How long a person may think about an override.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);
/// How long a client may take to make a progress bar.
const BAR_WITHIN: Duration = Duration::from_secs(2);
/// How long the word of the end comes after it, for clients without our plugin. Emacs 28's `jsonrpc-request` leaves its
/// filter when it sees the answer, and what was read with the answer is not looked at before something more is sent.
/// A run may be over before the answer to the command that started it is read.
const APART_FROM_ANSWER: Duration = Duration::from_millis(100);
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

/// That a run begins.
pub(super) async fn started(shared: &Shared, token: &str, uri: &Uri, title: &str) {
    if shared.client_can().events {
        let params = json!({"token": token, "uri": uri.as_str(), "title": title});
        shared.client.send_notification::<Started>(params).await;
    }
    if shared.client_can().progress {
        let client = shared.client.clone();
        let token = ProgressToken::String(token.to_owned());
        let begin = WorkDoneProgressBegin {
            title: title.to_owned(),
            cancellable: Some(true),
            ..WorkDoneProgressBegin::default()
        };
        tokio::spawn(async move {
            let bar = client.create_work_done_progress(token.clone());
            if let Ok(Ok(())) = tokio::time::timeout(BAR_WITHIN, bar).await {
                let value = ProgressParamsValue::WorkDone(WorkDoneProgress::Begin(begin));
                client
                    .send_notification::<Progress>(ProgressParams { token, value })
                    .await;
            }
        });
    }
}

/// What happens in it. Output is made harmless here, once for all clients.
pub(super) async fn happened(shared: &Shared, token: &str, event: &Event) {
    if !shared.client_can().events {
        return;
    }
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if let Event::Output { stream, chunk } = event {
        let text = match chunk {
            OutputChunk::Text { text } => output(text),
            OutputChunk::Base64 { base64 } => format!("[bytes that are no text: {base64}]\n"),
            OutputChunk::Gap { dropped_bytes } => format!("\n[{dropped_bytes} bytes left out]\n"),
        };
        let stream = match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        value = json!({"event": "output", "stream": stream, "text": text});
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
        Ok((result, _)) => one_line(&result.message),
        Err(why) => one_line(why),
    };
    if can.progress {
        let end = WorkDoneProgressEnd {
            message: Some(message.clone()),
        };
        let params = ProgressParams {
            token: ProgressToken::String(token.to_owned()),
            value: ProgressParamsValue::WorkDone(WorkDoneProgress::End(end)),
        };
        shared.client.send_notification::<Progress>(params).await;
    }
    if can.events {
        let params = match &end {
            Ok((result, report)) => json!({
                "token": token, "uri": uri.as_str(), "result": result, "report": report,
            }),
            Err(why) => json!({"token": token, "uri": uri.as_str(), "error": why}),
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

/// The person's reason for running it anyway; `None` if there is none.
pub(super) async fn reason(shared: &Shared, why: &str) -> Option<String> {
    let why = one_line(why);
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
