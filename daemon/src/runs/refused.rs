//! Requests that are turned down before there is a run: what was asked, by whom, and why not is recorded as well.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::types::ErrorObjectOwned;
use saferun_policy::{AuditRules, SourceRecord};
use saferun_protocol::{Asked, ClientKind, Code, Outcome, RunRequest, RunResult};

use super::registry::Caller;
use crate::audit::{Audit, Facts, Recorded, Secrets};

/// So many are recorded one by one in each minute; those above it are counted, and the next one tells how many. What
/// retention never drops of one takes about 1 KiB.
const EACH: u32 = 60;
/// That minute.
const WINDOW: Duration = Duration::from_secs(60);

/// What is recorded of a request that is refused: its code by the hash alone, for it was not looked at for secrets.
pub(super) struct Refused {
    source: Vec<u8>,
    file_name: String,
    client: ClientKind,
    asked: Asked,
}

impl Refused {
    /// That of a request.
    pub(super) fn of(request: &RunRequest) -> Self {
        let source = match &request.source_base64 {
            Some(base64) => STANDARD.decode(base64).unwrap_or_default(),
            None => request.source.clone().into_bytes(),
        };
        let mut asked = Asked::of(request);
        asked.policy_layers = saferun_protocol::PolicyLayers::default();
        Self {
            source,
            file_name: request.file_name.clone().unwrap_or_default(),
            client: request.client,
            asked,
        }
    }
}

#[derive(Debug, Default)]
struct Window {
    began: Option<Instant>,
    recorded: u32,
    skipped: u64,
}

impl Window {
    /// Whether one more is recorded by itself, and how many before it were not.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if self
            .began
            .is_none_or(|began| now.duration_since(began) >= WINDOW)
        {
            (self.began, self.recorded) = (Some(now), 0);
        }
        if self.recorded >= EACH {
            self.skipped += 1;
            return None;
        }
        self.recorded += 1;
        Some(std::mem::take(&mut self.skipped))
    }
}

/// Records refusals, never so many that the record is flooded. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals(Arc<Mutex<Window>>);

impl Refusals {
    /// Records one, and says as what it counts. A request that is no sound one is none, and a record that cannot be
    /// written is in the daemon's log.
    pub(super) async fn record(
        &self,
        audit: &Audit,
        caller: Caller,
        refused: Refused,
        error: &ErrorObjectOwned,
    ) -> Option<Outcome> {
        let code = Code::from_number(error.code());
        let status = match code {
            None | Some(Code::InvalidRequest | Code::ShuttingDown) => return None,
            Some(Code::EngineUnavailable | Code::ImageMissing | Code::Internal) => {
                Outcome::SetupFailed
            }
            Some(_) => Outcome::Blocked,
        };
        let skipped = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(Instant::now());
        let Some(skipped) = skipped else {
            return Some(status);
        };
        let more = match skipped {
            0 => String::new(),
            count => format!("; {count} more requests were refused since the one recorded before"),
        };
        let message = format!("Refused before it was a run: {}{more}", error.message());
        let result = RunResult::new(uuid::Uuid::now_v7().to_string(), status, message);
        let rules = AuditRules {
            survives_power_loss: false,
            source: SourceRecord::Hash,
            output: false,
            refuse_unrecorded: false,
        };
        let facts = Facts {
            uid: caller.uid,
            client: refused.client,
            file_name: &refused.file_name,
            source: &refused.source,
            args: &[],
            env: &[],
            stdin: None,
            stdin_streamed: false,
            files: Vec::new(),
            verdict: "Refused",
            decision: code
                .map(|code| format!("{code:?}: {}", error.message()))
                .into_iter()
                .collect(),
            override_reason: None,
            asked: &refused.asked,
            output_withheld: false,
            output_cap: 0,
            image: "",
            result: &result,
        };
        let (recorded, started) =
            Recorded::start(audit.clone(), rules, Secrets::default(), facts).await;
        let ended = recorded.end(&result, Default::default(), &[]).await;
        if let Err(error) = started.and(ended) {
            tracing::error!(%error, "a refusal was not recorded");
        }
        Some(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_counted_and_not_recorded_one_by_one() {
        let (mut window, now) = (Window::default(), Instant::now());
        for _ in 0..EACH {
            assert_eq!(window.take(now), Some(0));
        }
        for _ in 0..1000 {
            assert_eq!(window.take(now), None);
        }
        assert_eq!(window.take(now + WINDOW), Some(1000));
        assert_eq!(window.take(now + WINDOW), Some(0));
    }
}
