//! Each limit of each preset bites: a program at the limit passes, one just above fails with the right outcome.
//! [`table`] makes the cells of the presets' own keys: a limit without a case fails there, and a preset's new figure
//! is tried by itself.

mod behaviour;
mod files;
mod maxima;
mod rates;
mod resources;
mod table;
mod time;
mod traffic;

use saferun_protocol::{ApiClient, ClientKind, Code, Event, Outcome, OutputChunk};
use saferun_protocol::{RunRequest, RunResult};
use saferun_tests::Daemon;

pub(crate) type Answer = Result<RunResult, (Code, String)>;

pub(crate) fn request(policy: &str, source: impl Into<String>) -> RunRequest {
    let mut request = RunRequest::new(source);
    request.policy = Some(policy.to_owned());
    request.client = ClientKind::Terminal;
    request
}

pub(crate) fn ask(daemon: &Daemon, request: RunRequest) -> Answer {
    let client = daemon.connect();
    daemon.block_on(client.run(request)).map_err(refusal)
}

/// The code and the words of a refusal.
pub(crate) fn refusal(error: jsonrpsee::core::ClientError) -> (Code, String) {
    match error {
        jsonrpsee::core::ClientError::Call(object) => (
            Code::from_number(object.code()).expect("a code of ours"),
            object.message().to_owned(),
        ),
        other => panic!("{other}"),
    }
}

pub(crate) fn passes(
    daemon: &Daemon,
    what: &impl std::fmt::Display,
    request: RunRequest,
) -> RunResult {
    let result = ends(daemon, what, Outcome::Completed, request);
    assert_eq!(result.exit_code, Some(0), "{what}: {result:#?}");
    result
}

pub(crate) fn ends(
    daemon: &Daemon,
    what: &impl std::fmt::Display,
    outcome: Outcome,
    request: RunRequest,
) -> RunResult {
    let result = ask(daemon, request).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(result.status, outcome, "{what}: {result:#?}");
    result
}

/// The result of a run whose output is counted as it comes, and the count.
pub(crate) fn streamed(daemon: &Daemon, asked: RunRequest) -> (RunResult, u64) {
    let client = daemon.connect();
    daemon.block_on(async {
        let mut events = client.subscribe_run(asked).await.expect("it is accepted");
        let mut told = 0;
        while let Some(event) = events.next().await {
            match event.expect("an event") {
                Event::Output {
                    chunk: OutputChunk::Text { text },
                    ..
                } => told += text.len() as u64,
                Event::Finished { result } => return (*result, told),
                _ => {}
            }
        }
        panic!("the stream ended without a result");
    })
}

/// What the witnesses saw of this field.
pub(crate) fn attested(result: &RunResult, name: &str) -> Vec<String> {
    let fields = result
        .sandbox
        .attestation
        .iter()
        .filter(|field| field.name == name);
    fields.map(|field| field.value.clone()).collect()
}
