//! What a record says of the cleaning up after its run: the journal's word, and what it means that there is none. Pure.

use saferun_protocol::{Cleanup, Outcome, RunResult};

/// A run that was interrupted has no account of its container, but the journal may know of one. A journal that cannot be
/// read, or knows nothing of a container that there was or may have been, verifies nothing.
pub(super) fn cleanup<E>(
    receipt: Result<Option<Cleanup>, E>,
    result: Option<&RunResult>,
) -> Option<Cleanup> {
    let had_one = result.is_some_and(|result| {
        result.status == Outcome::Interrupted || !result.sandbox.container.is_empty()
    });
    receipt
        .map_or(Some(Cleanup::Unverified), |seen| seen)
        .or_else(|| had_one.then_some(Cleanup::Unverified))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_seen_is_unverified_unless_there_was_no_container() {
        let of = |status| RunResult::new("id".to_owned(), status, String::new());
        let known = |receipt: Result<Option<Cleanup>, ()>, result: &RunResult| {
            cleanup(receipt, Some(result))
        };
        let interrupted = of(Outcome::Interrupted);
        assert_eq!(known(Ok(None), &interrupted), Some(Cleanup::Unverified));
        let seen = Some(Cleanup::Verified);
        assert_eq!(known(Ok(seen), &interrupted), seen);
        let blocked = of(Outcome::Blocked);
        assert_eq!(known(Ok(None), &blocked), None);
        assert_eq!(known(Err(()), &blocked), Some(Cleanup::Unverified));
        let mut done = of(Outcome::Completed);
        done.sandbox.container = "c".to_owned();
        assert_eq!(known(Ok(None), &done), Some(Cleanup::Unverified));
        assert_eq!(cleanup(Ok::<_, ()>(None), None), None, "it goes on");
    }
}
