//! What a command says when it cannot do its work: one sentence, what to do next, an exit code.

use jsonrpsee::core::ClientError;
use saferun_protocol::{Advice, Code, ConnectError, SocketPathError};
use serde_json::json;

use crate::{exit, ui::one_line};

/// A command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit code of the process.
    pub(crate) exit: u8,
    /// What happened, to which file or setting.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) advice: Option<String>,
}

impl Failure {
    /// The command line, or a file it names, cannot be used.
    pub(crate) fn usage(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            exit: exit::USAGE,
            message: message.into(),
            advice: Some(advice.into()),
        }
    }

    /// `SafeRun` itself could not do it.
    pub(crate) fn failed(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            exit: exit::FAILED,
            message: message.into(),
            advice: Some(advice.into()),
        }
    }

    /// For people, on standard error.
    pub(crate) fn text(&self) -> String {
        let text = match &self.advice {
            Some(advice) => format!("saferunctl: {}\n  {advice}\n", self.message),
            None => format!("saferunctl: {}\n", self.message),
        };
        // Names of files and words of others stand in it: no colour passes either.
        let lines = text
            .lines()
            .flat_map(|line| [one_line(line), "\n".to_owned()]);
        lines.collect()
    }

    /// For programs that asked for JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({"error": {"message": self.message, "advice": self.advice, "exit_code": self.exit}})
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let ClientError::Call(object) = error else {
            return Self::failed(
                format!("the connection to the daemon broke: {error}"),
                "see `saferunctl daemon logs`; the next command starts the daemon again if it is gone",
            );
        };
        let code = Code::from_number(object.code());
        // The daemon's own: it knows which image, and whether it is missing, or too old to be had.
        let advice = object
            .data()
            .and_then(|data| serde_json::from_str::<Advice>(data.get()).ok())
            .map(|data| data.advice)
            .filter(|advice| !advice.is_empty());
        Self {
            exit: exit::of_code(code),
            message: object.message().to_owned(),
            advice,
        }
    }
}

impl From<SocketPathError> for Failure {
    fn from(error: SocketPathError) -> Self {
        // The error's own sentence says what to do.
        Self {
            exit: exit::FAILED,
            message: error.to_string(),
            advice: None,
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Path(error) => error.into(),
            error => Self::failed(error.to_string(), "see what is wrong: saferunctl doctor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemons_advice_is_handed_on() {
        let object = Code::ImageMissing.error(
            "the image python-data is 90 days old",
            "run `saferunctl image build --force python-data`",
        );
        let failure = Failure::from(ClientError::Call(object));
        assert_eq!(failure.exit, 125);
        assert!(
            failure
                .text()
                .contains("\n  run `saferunctl image build --force python-data`\n"),
            "{}",
            failure.text()
        );
    }

    #[test]
    fn nothing_in_it_acts_on_a_terminal_and_its_lines_stay() {
        let failure = Failure::failed("no \x1b[2J\x1b[30m\u{202e}\n  | a line", "try \x07");
        assert_eq!(
            failure.text(),
            "saferunctl: no \\x1b[2J\\x1b[30m\\u{202e}\n  | a line\n  try \\x07\n"
        );
    }

    #[test]
    fn advice_of_the_daemon_is_passed_on() {
        let object =
            Code::LimitAboveMaximum.error("1 h is above the policy's 10 m", "ask for at most 10m");
        let failure = Failure::from(ClientError::Call(object));
        assert_eq!(
            failure.text(),
            "saferunctl: 1 h is above the policy's 10 m\n  ask for at most 10m\n"
        );
        assert_eq!(failure.exit, 2);
    }
}
