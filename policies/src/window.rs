//! Sliding-window counters for the rates of a policy. A plain struct: the caller passes the time and keeps the state.
//! A refused run is not counted, so that whoever is refused is let in again as soon as the window allows.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::decision::ClientKind;
use crate::rate::{Rate, RateLimits, share};
use crate::units::show_duration;

/// Most hashes of code that are counted at a time; beyond it the one that was quiet for longest is forgotten.
const MAX_CODES: usize = 10_000;

/// One run that was let in: when, in milliseconds of the caller's clock, and by which kind of client.
type Mark = (u64, ClientKind);

/// Counters of all users. Serialise it to keep the counters over a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateWindows {
    clients: BTreeMap<u32, VecDeque<Mark>>,
    /// A list of pairs, because keys of JSON objects are texts.
    codes: Vec<(Code, VecDeque<u64>)>,
    /// How far back each user's rates look.
    horizons: BTreeMap<u32, Horizon>,
}

/// The longest windows and the highest counts of all rates that a user's runs were held against. It only grows: a
/// run under a policy with narrower rates, or with none, must not make those of another policy forget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Horizon {
    client_window: u64,
    client_count: usize,
    code_window: u64,
    code_count: usize,
}

impl Horizon {
    /// The longest window of all, in milliseconds; 0 if there is no rate.
    #[must_use]
    pub fn longest(&self) -> u64 {
        self.client_window.max(self.code_window)
    }

    fn reach(&mut self, rates: &RateLimits) {
        let count = |rate: &Rate| usize::try_from(rate.count).unwrap_or(usize::MAX);
        for rate in &rates.per_client {
            self.client_window = self.client_window.max(millis(rate.window));
            self.client_count = self.client_count.max(count(rate));
        }
        for rate in &rates.per_code {
            self.code_window = self.code_window.max(millis(rate.window));
            self.code_count = self.code_count.max(count(rate));
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Code {
    uid: u32,
    hash: String,
}

/// Which counter is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateKind {
    /// All runs of the user.
    PerClient,
    /// The part of them that clients without a person may use.
    SharedPart,
    /// The same code by the same user.
    PerCode,
}

/// A run that came too soon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}; try again in {}", self.what(), show_duration(round(*retry_after)))]
pub struct RateLimited {
    /// Which counter is full.
    pub kind: RateKind,
    /// The rate that holds.
    pub rate: Rate,
    /// How many of the rate this caller may use.
    pub allowed: u32,
    /// When the next run is let in, if nothing else comes.
    pub retry_after: Duration,
}

impl RateLimited {
    /// The key of the policy that decided.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self.kind {
            RateKind::PerClient => "limits.rate.per_client",
            RateKind::SharedPart => "limits.rate.reserved_for_people",
            RateKind::PerCode => "limits.rate.per_code",
        }
    }

    fn what(&self) -> String {
        let window = show_duration(self.rate.window);
        match self.kind {
            RateKind::PerClient => format!("{} runs in {window} are reached", self.rate.count),
            RateKind::SharedPart => format!(
                "{} of {} runs in {window} are reached; the rest is kept for terminals and editors",
                self.allowed, self.rate.count
            ),
            RateKind::PerCode => format!("the same code ran {} times in {window}", self.rate.count),
        }
    }
}

/// Whole seconds read better; never down to zero.
fn round(duration: Duration) -> Duration {
    if duration.as_millis() < 1000 {
        duration
    } else {
        Duration::from_secs(duration.as_secs() + u64::from(duration.subsec_nanos() > 0))
    }
}

impl RateWindows {
    /// Lets a run in and counts it, or says which rate is full. `now` is in milliseconds and should not go back;
    /// where it does, the run counts as if made at the latest time seen.
    ///
    /// # Errors
    /// The first full counter; nothing is counted then.
    pub fn admit(
        &mut self,
        now: u64,
        uid: u32,
        client: ClientKind,
        code_hash: &str,
        rates: &RateLimits,
    ) -> Result<(), RateLimited> {
        let horizon = self.horizons.entry(uid).or_default();
        horizon.reach(rates);
        let horizon = *horizon;
        if horizon.longest() == 0 {
            return Ok(());
        }
        let marks = self.clients.entry(uid).or_default();
        let now = marks.back().map_or(now, |(last, _)| now.max(*last));
        for rate in &rates.per_client {
            let all = marks.iter().map(|(at, _)| *at);
            full(all, now, rate, rate.count, RateKind::PerClient)?;
            if !client.is_person() {
                let shared = marks
                    .iter()
                    .filter(|(_, kind)| !kind.is_person())
                    .map(|(at, _)| *at);
                let allowed = share(rate.count, rates.reserved_for_people, client);
                full(shared, now, rate, allowed, RateKind::SharedPart)?;
            }
        }
        let place = self
            .codes
            .iter()
            .position(|(code, _)| code.uid == uid && code.hash == code_hash);
        if let Some(place) = place {
            for rate in &rates.per_code {
                let runs = self.codes[place].1.iter().copied();
                full(runs, now, rate, rate.count, RateKind::PerCode)?;
            }
        }
        self.count(now, uid, client, code_hash);
        self.prune(now);
        Ok(())
    }

    /// Counts a run that was let in before, when counters are read back; oldest first.
    pub fn restore(&mut self, at: u64, uid: u32, client: ClientKind, code_hash: &str) {
        self.count(at, uid, client, code_hash);
    }

    /// How far back a user's rates look.
    #[must_use]
    pub fn horizon(&self, uid: u32) -> Horizon {
        self.horizons.get(&uid).copied().unwrap_or_default()
    }

    /// Sets it, when counters are read back.
    pub fn set_horizon(&mut self, uid: u32, horizon: Horizon) {
        self.horizons.insert(uid, horizon);
    }

    fn count(&mut self, now: u64, uid: u32, client: ClientKind, code_hash: &str) {
        self.clients
            .entry(uid)
            .or_default()
            .push_back((now, client));
        if self.horizon(uid).code_window == 0 {
            return;
        }
        let place = self
            .codes
            .iter()
            .position(|(code, _)| code.uid == uid && code.hash == code_hash);
        match place {
            Some(place) => self.codes[place].1.push_back(now),
            None => self.codes.push((
                Code {
                    uid,
                    hash: code_hash.to_owned(),
                },
                VecDeque::from([now]),
            )),
        }
    }

    /// Forgets what no rate looks at any more; `admit` does so by itself.
    pub fn prune(&mut self, now: u64) {
        let horizons = &self.horizons;
        let of = |uid: u32| horizons.get(&uid).copied().unwrap_or_default();
        self.clients.retain(|uid, marks| {
            let (window, count) = (of(*uid).client_window, of(*uid).client_count);
            while marks.len() > count
                || marks
                    .front()
                    .is_some_and(|(at, _)| at.saturating_add(window) <= now)
            {
                marks.pop_front();
            }
            !marks.is_empty()
        });
        self.codes.retain_mut(|(code, runs)| {
            let (window, count) = (of(code.uid).code_window, of(code.uid).code_count);
            while runs.len() > count
                || runs
                    .front()
                    .is_some_and(|at| at.saturating_add(window) <= now)
            {
                runs.pop_front();
            }
            !runs.is_empty()
        });
        if self.codes.len() > MAX_CODES {
            self.codes.sort_by_key(|(_, runs)| runs.back().copied());
            self.codes.drain(..self.codes.len() - MAX_CODES);
        }
    }

    /// Runs of a user that are counted now, by kind of client.
    #[must_use]
    pub fn counted(&self, uid: u32, client: ClientKind) -> usize {
        self.clients.get(&uid).map_or(0, |marks| {
            marks.iter().filter(|(_, kind)| *kind == client).count()
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether `allowed` runs stand in the window that ends now.
fn full(
    runs: impl DoubleEndedIterator<Item = u64>,
    now: u64,
    rate: &Rate,
    allowed: u32,
    kind: RateKind,
) -> Result<(), RateLimited> {
    let window = millis(rate.window);
    let allowed_runs = usize::try_from(allowed).unwrap_or(usize::MAX);
    // The run that has to leave the window before the next one fits is `allowed` places from the end.
    let blocking = runs
        .rev()
        .nth(allowed_runs.saturating_sub(1))
        .filter(|at| at.saturating_add(window) > now);
    match blocking {
        Some(at) => {
            let retry_after = Duration::from_millis(at.saturating_add(window).saturating_sub(now));
            Err(RateLimited {
                kind,
                rate: *rate,
                allowed,
                retry_after,
            })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ClientKind::{Agent, Editor, Terminal, Watch};

    fn rates(
        per_client: &[(u32, u64)],
        per_code: &[(u32, u64)],
        reserved_for_people: u8,
    ) -> RateLimits {
        let list = |pairs: &[(u32, u64)]| {
            pairs
                .iter()
                .map(|(count, secs)| Rate {
                    count: *count,
                    window: Duration::from_secs(*secs),
                })
                .collect()
        };
        RateLimits {
            per_client: list(per_client),
            per_code: list(per_code),
            reserved_for_people,
        }
    }

    #[test]
    fn the_window_slides() {
        let rates = rates(&[(3, 60)], &[], 0);
        let mut windows = RateWindows::default();
        for now in [0, 10_000, 20_000] {
            assert!(windows.admit(now, 1, Agent, "", &rates).is_ok());
        }
        let refused = windows.admit(30_000, 1, Agent, "", &rates).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(30));
        assert!(windows.admit(59_999, 1, Agent, "", &rates).is_err());
        assert!(windows.admit(60_000, 1, Agent, "", &rates).is_ok());
        assert!(windows.admit(60_001, 1, Agent, "", &rates).is_err());
        assert!(
            windows.admit(60_001, 2, Agent, "", &rates).is_ok(),
            "another user has counters of its own"
        );
    }

    #[test]
    fn a_share_is_kept_for_people_whatever_the_others_do() {
        let rates = rates(&[(10, 60)], &[], 30);
        let mut windows = RateWindows::default();
        let kinds = [Agent, Watch].into_iter().cycle().take(50);
        let admitted = kinds
            .filter(|kind| windows.admit(0, 1, *kind, "", &rates).is_ok())
            .count();
        assert_eq!(admitted, 7);
        assert_eq!(
            windows.admit(0, 1, Agent, "", &rates).unwrap_err().kind,
            RateKind::SharedPart
        );
        for kind in [Terminal, Editor, Terminal] {
            assert!(windows.admit(0, 1, kind, "", &rates).is_ok());
        }
        assert_eq!(
            windows.admit(0, 1, Editor, "", &rates).unwrap_err().kind,
            RateKind::PerClient
        );
    }

    #[test]
    fn the_same_code_has_a_rate_of_its_own() {
        let rates = rates(&[], &[(2, 3600)], 0);
        let mut windows = RateWindows::default();
        assert!(windows.admit(0, 1, Terminal, "a", &rates).is_ok());
        assert!(windows.admit(1, 1, Terminal, "a", &rates).is_ok());
        let refused = windows.admit(2, 1, Terminal, "a", &rates).unwrap_err();
        assert_eq!(
            (refused.kind, refused.key()),
            (RateKind::PerCode, "limits.rate.per_code")
        );
        assert_eq!(
            refused.to_string(),
            "the same code ran 2 times in 1h; try again in 1h"
        );
        assert!(windows.admit(2, 1, Terminal, "b", &rates).is_ok());
        assert!(windows.admit(2, 2, Terminal, "a", &rates).is_ok());
    }

    #[test]
    fn counters_survive_a_restart_and_a_clock_that_goes_back() {
        let rates = rates(&[(2, 60)], &[(2, 60)], 0);
        let mut windows = RateWindows::default();
        assert!(windows.admit(100_000, 1, Agent, "a", &rates).is_ok());
        let kept = serde_json::to_string(&windows).unwrap();
        let mut windows: RateWindows = serde_json::from_str(&kept).unwrap();
        assert!(windows.admit(0, 1, Agent, "a", &rates).is_ok());
        assert!(windows.admit(0, 1, Agent, "a", &rates).is_err());
        assert!(windows.admit(159_999, 1, Agent, "a", &rates).is_err());
        assert!(windows.admit(160_000, 1, Agent, "a", &rates).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let rates = rates(&[(5, 60)], &[(5, 3_600_000)], 0);
        let mut windows = RateWindows::default();
        for now in 0..200_u64 {
            let _ = windows.admit(now * 20_000, 1, Agent, &now.to_string(), &rates);
        }
        assert!(windows.clients[&1].len() <= 5);
        windows.prune(u64::MAX);
        assert!(windows.clients.is_empty() && windows.codes.is_empty());
    }

    #[test]
    fn a_narrower_rate_does_not_forget_what_a_wider_one_counts() {
        let (wide, narrow) = (
            rates(&[(3, 3600)], &[(2, 3600)], 0),
            rates(&[(1, 1)], &[], 0),
        );
        let mut windows = RateWindows::default();
        assert!(windows.admit(0, 1, Terminal, "a", &wide).is_ok());
        for now in [10_000, 20_000] {
            assert!(windows.admit(now, 1, Terminal, "a", &narrow).is_ok());
        }
        assert!(windows.admit(30_000, 1, Terminal, "b", &wide).is_err());
        assert!(
            windows
                .admit(30_000, 1, Terminal, "a", &RateLimits::default())
                .is_ok()
        );
    }
}
