//! bollard's errors in the words of [`EngineError`], with the engine's own text made harmless.

use std::{error::Error as _, time::Duration};

use bollard::errors::Error;

use crate::engine::EngineError;

/// Longest text of the engine that is passed on, in characters. Long enough for runc's worst.
const MAX_REASON: usize = 400;

/// The engine's text without control characters, in one line and of bounded length.
pub(super) fn harmless(text: &str) -> String {
    let mut out = String::new();
    let mut space = false;
    for (count, c) in text.trim().chars().enumerate() {
        if count >= MAX_REASON {
            out.push('…');
            break;
        }
        if c.is_whitespace() || saferun_text::deceives(c) {
            space = true;
        } else {
            if space && !out.is_empty() {
                out.push(' ');
            }
            space = false;
            out.push(c);
        }
    }
    out
}

/// HTTP status of the engine's refusal, if it was one.
pub(super) fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// Says what went wrong, given what the engine was asked.
pub(super) fn refine(
    action: &'static str,
    deadline: Duration,
    address: &str,
    error: &Error,
) -> EngineError {
    match error {
        Error::DockerResponseServerError {
            message,
            status_code,
        } if message.is_empty() => EngineError::Refused {
            action,
            reason: format!("status {status_code} without a reason"),
        },
        Error::DockerResponseServerError { message, .. } => EngineError::Refused {
            action,
            reason: harmless(message),
        },
        Error::DockerStreamError { error } => EngineError::Refused {
            action,
            reason: harmless(error),
        },
        Error::RequestTimeoutError => EngineError::Deadline { action, deadline },
        Error::SocketNotFoundError(_) => EngineError::Unreachable {
            address: harmless(address),
            reason: "there is no such socket".to_owned(),
        },
        Error::JsonDataError { .. }
        | Error::JsonSerdeError { .. }
        | Error::StrParseError { .. } => EngineError::Refused {
            action,
            reason: "its answer does not read as Docker's API".to_owned(),
        },
        other => EngineError::Unreachable {
            address: harmless(address),
            reason: innermost(other),
        },
    }
}

/// The last cause in the chain: "Connection refused", not "error trying to connect".
fn innermost(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    harmless(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_text_loses_everything_a_terminal_would_act_on() {
        let text = "no\u{1b}[2J such\r\n image\u{202e}: \u{7}x\u{0}";
        assert_eq!(harmless(text), "no [2J such image : x");
        assert_eq!(harmless(&"x".repeat(2000)).chars().count(), MAX_REASON + 1);
    }

    #[test]
    fn a_refusal_carries_the_engines_reason() {
        let error = Error::DockerResponseServerError {
            status_code: 500,
            message: "OCI runtime create failed:\n\texec: \"/x\"".to_owned(),
        };
        let refined = refine(
            "start a container",
            Duration::from_secs(1),
            "unix:///s",
            &error,
        );
        assert_eq!(
            refined.to_string(),
            "the container engine could not start a container: OCI runtime create failed: exec: \"/x\""
        );
    }
}
