//! The table of error codes. SafeRun's own start at 1000, clear of JSON-RPC's and jsonrpsee's.

use jsonrpsee::types::{ErrorObject, ErrorObjectOwned};
use serde::{Deserialize, Serialize};

/// What kind of failure an RPC met. The number is the JSON-RPC error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(i32)]
#[non_exhaustive]
pub enum Code {
    /// A parameter is wrong: too long, out of range, not what its type says.
    InvalidRequest = 1000,
    /// The source, or the whole request, is over a size limit.
    TooLarge = 1001,
    /// A limit was asked for that is above the policy's maximum.
    LimitAboveMaximum = 1002,
    /// No such policy.
    UnknownPolicy = 1003,
    /// No run with this id is under way for this peer.
    UnknownRun = 1004,
    /// The queue is full; try again later.
    Busy = 1005,
    /// The rate limit of this client or this code is reached.
    RateLimited = 1006,
    /// The engine does not answer or refuses.
    EngineUnavailable = 1007,
    /// The image was not built.
    ImageMissing = 1008,
    /// The sandbox is not what it should be; nothing ran.
    AttestationFailed = 1009,
    /// The isolation tier asked for is not there.
    TierUnavailable = 1010,
    /// The daemon is shutting down.
    ShuttingDown = 1011,
    /// The peer may not do this.
    Forbidden = 1012,
    /// A policy text has mistakes, or none was ever sound; nothing ran.
    PolicyInvalid = 1013,
    /// The host cannot hold a limit of the policy; nothing ran.
    LimitNotEnforceable = 1014,
    /// The record cannot be read or written.
    AuditUnavailable = 1015,
    /// A fault in SafeRun itself.
    Internal = 1099,
}

/// Data of each error object: what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Advice {
    /// What the person should do, as a sentence or a command.
    pub advice: String,
    /// When to try again, in milliseconds from now, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Advice {
    /// Advice without a time.
    #[must_use]
    pub fn new(advice: impl Into<String>) -> Self {
        Self {
            advice: advice.into(),
            retry_after_ms: None,
        }
    }
}

impl Code {
    /// All codes, for documentation and tests.
    pub const ALL: [Self; 17] = [
        Self::InvalidRequest,
        Self::TooLarge,
        Self::LimitAboveMaximum,
        Self::UnknownPolicy,
        Self::UnknownRun,
        Self::Busy,
        Self::RateLimited,
        Self::EngineUnavailable,
        Self::ImageMissing,
        Self::AttestationFailed,
        Self::TierUnavailable,
        Self::ShuttingDown,
        Self::Forbidden,
        Self::PolicyInvalid,
        Self::LimitNotEnforceable,
        Self::AuditUnavailable,
        Self::Internal,
    ];

    /// The JSON-RPC error code.
    #[must_use]
    pub const fn number(self) -> i32 {
        // An enum with an explicit i32 representation: the cast is its definition.
        self as i32
    }

    /// The code with this number.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }

    /// An error object with a message and advice.
    #[must_use]
    pub fn error(self, message: impl Into<String>, advice: impl Into<String>) -> ErrorObjectOwned {
        ErrorObject::owned(self.number(), message, Some(Advice::new(advice)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_clear_of_the_reserved_ranges() {
        let mut numbers: Vec<i32> = Code::ALL.iter().map(|code| code.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), Code::ALL.len());
        assert!(numbers.iter().all(|number| (1000..1100).contains(number)));
        for code in Code::ALL {
            assert_eq!(Code::from_number(code.number()), Some(code));
        }
    }
}
