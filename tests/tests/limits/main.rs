//! Each limit of each preset bites: a program at the limit passes, one just above fails with the right outcome.
//! Figures come from the presets themselves; presets that share a figure share the programs.

mod admission;
mod behaviour;
mod defaults;
mod maxima;

use std::collections::BTreeMap;

use saferun_policy::{Limits, preset, preset_names};
use saferun_protocol::{ApiClient, ClientKind, Code, Outcome, RunRequest, RunResult};
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
    daemon
        .block_on(client.run(request))
        .map_err(|error| match error {
            jsonrpsee::core::ClientError::Call(object) => (
                Code::from_number(object.code()).expect("a code of ours"),
                object.message().to_owned(),
            ),
            other => panic!("{other}"),
        })
}

/// One preset for each distinct figure of a limit; those come first whose rules let any program run.
pub(crate) fn distinct<T: Ord>(figure: impl Fn(&Limits) -> T) -> Vec<(&'static str, T)> {
    let mut found: BTreeMap<T, &'static str> = BTreeMap::new();
    let executor = |name: &&str| *name == "safe-executor";
    let mut names: Vec<&str> = preset_names().to_vec();
    names.sort_by_key(executor);
    for name in names {
        let limits = preset(name).expect("a preset").limits;
        found.entry(figure(&limits)).or_insert(name);
    }
    found
        .into_iter()
        .map(|(figure, name)| (name, figure))
        .collect()
}

/// The same for programs that import: `safe-executor` lets none do, so another preset has to have its figure.
pub(crate) fn figures<T: Ord>(figure: impl Fn(&Limits) -> T) -> Vec<(&'static str, T)> {
    let found = distinct(figure);
    assert!(
        found.iter().all(|(name, _)| *name != "safe-executor"),
        "no other preset has the figure of safe-executor"
    );
    found
}

pub(crate) fn passes(daemon: &Daemon, what: &str, request: RunRequest) -> RunResult {
    let result = ask(daemon, request).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(
        (result.status, result.exit_code),
        (Outcome::Completed, Some(0)),
        "{what}: {result:#?}"
    );
    result
}

pub(crate) fn ends(
    daemon: &Daemon,
    what: &str,
    outcome: Outcome,
    request: RunRequest,
) -> RunResult {
    let result = ask(daemon, request).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(result.status, outcome, "{what}: {result:#?}");
    result
}

pub(crate) fn attested(result: &RunResult, name: &str) -> Vec<String> {
    let fields = result
        .sandbox
        .attestation
        .iter()
        .filter(|field| field.name == name);
    fields.map(|field| field.value.clone()).collect()
}
