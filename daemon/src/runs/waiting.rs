//! The wait of an admitted run for its turn and a container. It ends: with a container, with the caller's word, with a
//! caller that went away, or when the policy's time for it is over.

use std::time::Duration;

use saferun_policy::show_duration;
use saferun_protocol::{LimitHit, Outcome, RunResult};
use tokio_util::sync::CancellationToken;

use super::{account::setup_failure, listener::Listener};
use crate::{
    admission::Place,
    pool::{Key, Lease, LeaseError, PoolHandle},
};

/// One that waits.
pub(super) struct Wait<'a> {
    pub(super) place: Option<&'a mut Place>,
    /// Whose turn it takes.
    pub(super) source: u64,
    /// It waits no longer than this.
    pub(super) most: Duration,
    pub(super) cancel: &'a CancellationToken,
    pub(super) listener: &'a Listener,
    /// Whether it waits on when nobody listens.
    pub(super) detach: bool,
}

/// Why it has no container.
#[derive(Debug)]
pub(super) enum NoContainer {
    /// Somebody ended it, or nobody listens any more.
    Cancelled,
    /// The policy's time was over.
    Waited(Duration),
    /// There is none to be had.
    Failed(LeaseError),
}

impl Wait<'_> {
    pub(super) async fn for_container(
        self,
        pool: &PoolHandle,
        key: Key,
    ) -> Result<Lease, NoContainer> {
        let lease = async {
            if let Some(place) = self.place {
                place.turn().await;
            }
            lease(pool, key, self.source).await
        };
        let gone = async {
            self.listener.closed().await;
            if self.detach {
                std::future::pending::<()>().await;
            }
        };
        // Whoever is dropped here leaves the queue.
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(NoContainer::Cancelled),
            lease = lease => lease.map_err(NoContainer::Failed),
            () = gone => Err(NoContainer::Cancelled),
            () = tokio::time::sleep(self.most) => Err(NoContainer::Waited(self.most)),
        }
    }
}

impl NoContainer {
    /// A daemon that stops cancels all runs: of those that had not begun, that is the reason.
    pub(super) fn or_closing(self, closing: bool) -> Self {
        match self {
            Self::Cancelled if closing => Self::Failed(LeaseError::ShuttingDown),
            other => other,
        }
    }

    /// Says so in the result.
    pub(super) fn tell(&self, result: &mut RunResult) {
        (result.status, result.message) = match self {
            Self::Cancelled => (
                Outcome::Cancelled,
                "The run was cancelled before it began".to_owned(),
            ),
            Self::Waited(most) => {
                result.limits_hit.push(LimitHit::Queue);
                let most = show_duration(*most);
                (
                    Outcome::Blocked,
                    format!(
                        "The run waited {most} for its turn, the most that the policy allows (limits.queue_wait), and did not begin. \
                         Run it again when others have ended: `saferunctl ps` lists them, `saferunctl kill ID` ends one"
                    ),
                )
            }
            Self::Failed(error) => {
                result.drained = matches!(error, LeaseError::ShuttingDown);
                (Outcome::SetupFailed, setup_failure(error))
            }
        };
    }
}

/// A container with just these limits. One of a wider class that is warm is tightened, which is ten times faster than
/// a start; where that fails, one is started.
async fn lease(pool: &PoolHandle, key: Key, source: u64) -> Result<Lease, LeaseError> {
    let mut lease = pool.lease(key.clone(), true, source).await?;
    if lease.template == key.0 {
        return Ok(lease);
    }
    if let Some(container) = lease.container() {
        match container.tighten(&key.0).await {
            Ok(()) => return Ok(lease),
            Err(error) => {
                tracing::warn!(%error, "a container could not be tightened, another is started");
            }
        }
    }
    drop(lease);
    pool.lease(key, false, source).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_a_stopping_daemon_had_not_begun_is_for_the_next_one() {
        let told = |why: NoContainer| {
            let mut result = RunResult::new("id".to_owned(), Outcome::Completed, String::new());
            why.tell(&mut result);
            (result.status, result.drained)
        };
        let failed = |error| told(NoContainer::Failed(error));
        assert_eq!(
            failed(LeaseError::ShuttingDown),
            (Outcome::SetupFailed, true)
        );
        assert_eq!(failed(LeaseError::Retired), (Outcome::SetupFailed, false));
        let cancelled = |closing| told(NoContainer::Cancelled.or_closing(closing));
        assert_eq!(cancelled(false), (Outcome::Cancelled, false));
        assert_eq!(cancelled(true), (Outcome::SetupFailed, true));
    }
}
