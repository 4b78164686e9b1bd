//! Rates of runs, in windows that slide and survive a restart of the daemon.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use jsonrpsee::types::{ErrorObject, ErrorObjectOwned};
use saferun_policy::{ClientKind, RateLimits, RateWindows};
use saferun_protocol::{Advice, Code};

use super::rates_file::RatesFile;
use crate::clock::Clock;

/// Counts runs. Cheap to clone. Every call may write to disk: call it on a thread that may wait.
#[derive(Clone)]
pub(crate) struct Rates {
    inner: Arc<Mutex<Inner>>,
    clock: Clock,
}

struct Inner {
    windows: RateWindows,
    file: RatesFile,
}

impl Rates {
    /// Opens the file with the counters.
    ///
    /// # Errors
    /// It cannot be used.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let clock = Clock::start();
        let file = RatesFile::open(path)?;
        let windows = file.windows(clock.now())?;
        let inner = Arc::new(Mutex::new(Inner { windows, file }));
        Ok(Self { inner, clock })
    }

    /// Lets a run in and counts it.
    ///
    /// # Errors
    /// A rate is full, with when to come again; or the run cannot be counted, which refuses it, too.
    pub(crate) fn admit(
        &self,
        uid: u32,
        client: ClientKind,
        code: &str,
        rates: &RateLimits,
    ) -> Result<(), ErrorObjectOwned> {
        // A panic inside leaves counters that are too high at worst.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { windows, file } = &mut *inner;
        let now = self.clock.now();
        windows
            .admit(now, uid, client, code, rates)
            .map_err(|limited| {
                let retry = u64::try_from(limited.retry_after.as_millis()).unwrap_or(u64::MAX);
                let mut advice =
                    Advice::new(format!("the limit is `{}` of the policy", limited.key()));
                advice.retry_after_ms = Some(retry.max(1));
                ErrorObject::owned(
                    Code::RateLimited.number(),
                    limited.to_string(),
                    Some(advice),
                )
            })?;
        if windows.horizon(uid).longest() == 0 {
            // No policy of this user has a rate: nothing to remember.
            return Ok(());
        }
        file.record(now, uid, client, code, windows)
            .map_err(|error| {
                tracing::error!(%error, "a run could not be counted");
                Code::Internal.error(
                    format!("the run cannot be counted, so its rate cannot be held: {error}"),
                    "see whether the disk of the state folder is full",
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use saferun_policy::Rate;

    use super::*;

    fn rates(count: u32, secs: u64) -> RateLimits {
        let window = Duration::from_secs(secs);
        let rate = |count| vec![Rate { count, window }];
        RateLimits {
            per_client: rate(count),
            per_code: rate(count - 1),
            reserved_for_people: 0,
        }
    }

    #[test]
    fn counters_survive_a_restart_and_a_clock_that_was_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rates.sqlite");
        let limits = rates(3, 60);
        {
            let mut before = Rates::open(&path).unwrap();
            // The first daemon lived in a far future.
            before.clock.wall += Duration::from_secs(365 * 86_400);
            before.admit(1, ClientKind::Terminal, "a", &limits).unwrap();
            before.admit(1, ClientKind::Terminal, "b", &limits).unwrap();
        }
        let mut after = Rates::open(&path).unwrap();
        after.admit(1, ClientKind::Terminal, "a", &limits).unwrap();
        let refused = after
            .admit(1, ClientKind::Terminal, "c", &limits)
            .unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited.number());
        let advice: Advice = serde_json::from_str(refused.data().unwrap().get()).unwrap();
        assert!(
            (50_000..=60_000).contains(&advice.retry_after_ms.unwrap()),
            "{advice:?}"
        );
        assert!(
            after.admit(2, ClientKind::Terminal, "a", &limits).is_ok(),
            "another user"
        );
        // Not locked out for a year: the window has passed after its own length.
        after.clock.wall += Duration::from_secs(61);
        after.admit(1, ClientKind::Terminal, "c", &limits).unwrap();
    }

    #[test]
    fn a_policy_without_a_rate_does_not_wipe_the_counters_of_one_with() {
        let folder = tempfile::tempdir().unwrap();
        let all = Rates::open(&folder.path().join("r")).unwrap();
        let (strict, none) = (rates(2, 60), RateLimits::default());
        all.admit(1, ClientKind::Agent, "a", &strict).unwrap();
        for _ in 0..5 {
            all.admit(1, ClientKind::Agent, "x", &none).unwrap();
        }
        assert!(
            all.admit(1, ClientKind::Agent, "b", &strict).is_err(),
            "those runs counted, too"
        );
    }

    #[test]
    fn a_run_that_cannot_be_written_down_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r");
        let all = Rates::open(&path).unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("DROP TABLE runs").unwrap();
        let refused = all
            .admit(1, ClientKind::Agent, "a", &rates(2, 60))
            .unwrap_err();
        assert_eq!(refused.code(), Code::Internal.number());
    }
}
