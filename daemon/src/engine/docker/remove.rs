//! Removing a container for good, through the engine's temporary refusals.

use std::time::Duration;

use bollard::{
    Docker,
    query_parameters::{InspectContainerOptions, RemoveContainerOptionsBuilder},
};
use tokio::time::{Instant, sleep};

use super::{
    create::{LABEL_INSTANCE, LABEL_NAME},
    deadlines::{ASK, KILL, REMOVE, within},
    errors::status,
};
use crate::engine::{EngineError, Leftover};

/// First pause between two attempts; doubled each time, up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(50);
/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Removes a container by the engine's id, killing it first. `Ok` means that the engine knows no such
/// container any more (404): that a removal succeeded is asked after, for the run's receipt rests on it.
///
/// "Removal already in progress" (409), a busy device (500) and the like are tried again, all
/// inside [`REMOVE`].
pub(super) async fn container(docker: &Docker, address: &str, id: &str) -> Result<(), EngineError> {
    let end = Instant::now() + REMOVE;
    let mut pause = PAUSE;
    loop {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        let call = async {
            match docker.remove_container(id, Some(options)).await {
                Err(error) if status(&error) == Some(404) => Ok(true),
                other => other.map(|()| false),
            }
        };
        let left = end.saturating_duration_since(Instant::now());
        let result = within("remove a container", left.min(KILL), address, call).await;
        let result = match result {
            Ok(false) => is_gone(docker, address, id).await,
            other => other,
        };
        match result {
            Ok(true) => return Ok(()),
            Ok(false) if Instant::now() + pause >= end => {
                return Err(EngineError::Refused {
                    action: "remove a container",
                    reason: "it said that it had, and still knows it".to_owned(),
                });
            }
            Err(error) if Instant::now() + pause >= end => return Err(error),
            // Nobody there: the sweep tries later, waiting here helps nobody.
            Err(error @ EngineError::Unreachable { .. }) => return Err(error),
            Ok(false) | Err(_) => sleep(pause).await,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn is_gone(docker: &Docker, address: &str, id: &str) -> Result<bool, EngineError> {
    let call = async {
        match docker
            .inspect_container(id, None::<InspectContainerOptions>)
            .await
        {
            Err(error) if status(&error) == Some(404) => Ok(true),
            other => other.map(|_| false),
        }
    };
    within("inspect a container", ASK, address, call).await
}

/// Removes what the journal names, if it is ours: same name, same id where one is known, and both
/// labels. `Ok(false)` if nothing of ours stands there.
pub(super) async fn leftover(
    docker: &Docker,
    address: &str,
    leftover: &Leftover,
    instance: &str,
) -> Result<bool, EngineError> {
    let reference = leftover.id.as_deref().unwrap_or(&leftover.name);
    if !is_reference(reference) {
        return Ok(false);
    }
    let call = async {
        match docker
            .inspect_container(reference, None::<InspectContainerOptions>)
            .await
        {
            Err(error) if status(&error) == Some(404) => Ok(None),
            other => other.map(Some),
        }
    };
    let Some(found) = within("inspect a container", ASK, address, call).await? else {
        return Ok(false);
    };
    let labels = found
        .config
        .and_then(|config| config.labels)
        .unwrap_or_default();
    let ours = labels
        .get(LABEL_INSTANCE)
        .is_some_and(|label| label == instance)
        && labels.get(LABEL_NAME) == Some(&leftover.name)
        && found
            .name
            .as_deref()
            .map(|name| name.trim_start_matches('/'))
            == Some(&leftover.name);
    let Some(id) = found.id.filter(|id| {
        ours && is_reference(id) && leftover.id.as_ref().is_none_or(|journal| journal == id)
    }) else {
        return Ok(false);
    };
    container(docker, address, &id).await?;
    Ok(true)
}

/// Whether a text can only be a container's name or id, never a piece of a URL.
pub(super) fn is_reference(text: &str) -> bool {
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(ok)
}

#[cfg(test)]
mod tests {
    use super::is_reference;

    #[test]
    fn a_reference_is_never_a_path() {
        assert!(is_reference("saferun-0192_a.b"));
        for bad in [
            "",
            "../images",
            "a/b",
            "a?b",
            "a%2fb",
            ".",
            "a b",
            &"a".repeat(129),
        ] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
