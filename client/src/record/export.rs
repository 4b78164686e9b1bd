//! `export`: a run as a report, in JSON for programs or in HTML for people.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use saferun_protocol::{ApiClient, RunRecord};
use serde::Serialize;

use super::{
    explain::{self, OutcomeWords, RuleWords},
    find::find,
    html,
};
use crate::{
    args::{ExportArgs, Global},
    daemon, exit,
    failure::Failure,
    ui::{self, json},
};

/// The JSON Schema of [`Report`].
const SCHEMA: &str = include_str!("../../schema/run-report.schema.json");
/// Version of [`Report`]; within one version fields are only added.
const VERSION: u32 = 1;

/// The JSON report.
#[derive(Debug, Serialize)]
pub(super) struct Report<'run> {
    #[serde(rename = "report")]
    kind: &'static str,
    version: u32,
    saferunctl: &'static str,
    id: &'run str,
    record: &'run RunRecord,
    explained: Explained,
}

#[derive(Debug, Serialize)]
struct Explained {
    outcome: OutcomeWords,
    rules: Vec<RuleWords>,
}

impl<'run> Report<'run> {
    /// The report of a record.
    pub(super) fn new(id: &'run str, record: &'run RunRecord) -> Self {
        let findings = record.result.as_ref().map(|result| &result.findings[..]);
        Self {
            kind: "saferun-run",
            version: VERSION,
            saferunctl: env!("CARGO_PKG_VERSION"),
            id,
            record,
            explained: Explained {
                outcome: explain::outcome(record),
                rules: explain::rules(findings.unwrap_or_default()),
            },
        }
    }
}

/// Writes the report of a run.
pub(crate) async fn export(args: &ExportArgs, global: &Global) -> Result<u8, Failure> {
    let Some(wanted) = &args.id else {
        ui::out(SCHEMA);
        return Ok(0);
    };
    let client = daemon::reach(global.may_start()).await?;
    let id = find(&client, wanted).await?;
    let record = client.record(id.clone()).await?;
    let text = if args.html {
        html::page(&id, &record)
    } else {
        json(&Report::new(&id, &record)) + "\n"
    };
    match &args.out {
        None => ui::out(text),
        Some(path) => {
            save(path, text.as_bytes()).map_err(|error| Failure {
                exit: exit::FAILED,
                message: format!("cannot write {}: {error}", ui::path(path)),
                advice: Some("check the folder and its room".to_owned()),
            })?;
            ui::note(format!("wrote {}", ui::path(path)));
        }
    }
    Ok(0)
}

fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::record::sample;

    fn validator() -> jsonschema::Validator {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    }

    fn report(record: &RunRecord) -> Value {
        serde_json::from_str(&json(&Report::new("0193a5c4", record))).unwrap()
    }

    #[track_caller]
    fn fits(value: &Value) {
        let validator = validator();
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }

    #[test]
    fn reports_fit_the_published_schema() {
        let mut record = sample::record();
        fits(&report(&record));
        let result = record.result.as_mut().unwrap();
        result.findings[0].observed = Some(saferun_protocol::Observation::NotReached);
        let mut trace = saferun_protocol::Trace::default();
        trace.events = vec![saferun_protocol::TraceEvent {
            at_us: 1,
            kind: saferun_protocol::EventKind::Name,
            call: "socket.getaddrinfo".to_owned(),
            what: "example.org".to_owned(),
            verdict: saferun_protocol::TraceVerdict::Refused,
            pid: 2,
            count: 1,
            file: None,
            line: None,
            seen: saferun_protocol::Seen::Program,
        }];
        trace.unforetold = vec![0];
        trace.left_out_by_kind = [(saferun_protocol::EventKind::Write, 3)].into();
        trace.unavailable = Some("gVisor".to_owned());
        result.trace = Some(trace);
        fits(&report(&record));
        record.ended_ms = None;
        record.end_hash = None;
        record.source = None;
        record.stdin_base64 = None;
        record.asked = None;
        record.override_reason = None;
        record.result = None;
        fits(&report(&record));
    }

    /// A field that is not in the schema, or has another type there, is found: the schema cannot fall behind.
    #[test]
    fn the_schema_knows_each_field() {
        let whole = report(&sample::record());
        let validator = validator();
        let mut checked = 0;
        for pointer in [
            "",
            "/record",
            "/record/result",
            "/record/result/findings/0",
            "/record/result/limits",
            "/record/result/sandbox",
            "/record/result/timing",
            "/record/result/evidence",
            "/record/result/evidence/stdout",
            "/record/asked",
            "/explained",
        ] {
            let mut extra = whole.clone();
            extra.pointer_mut(pointer).unwrap()["not_in_the_schema"] = true.into();
            assert!(
                !validator.is_valid(&extra),
                "{pointer} takes unknown fields"
            );
            let names: Vec<String> = whole
                .pointer(pointer)
                .unwrap()
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect();
            for name in names {
                let mut wrong = whole.clone();
                wrong.pointer_mut(pointer).unwrap()[&name] = serde_json::json!([["wrong"]]);
                assert!(
                    !validator.is_valid(&wrong),
                    "{pointer}/{name} may be anything"
                );
                checked += 1;
            }
        }
        assert!(checked > 90, "{checked}");
    }
}
