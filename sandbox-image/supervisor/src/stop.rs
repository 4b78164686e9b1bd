//! Why the supervisor stops before a run was reported.

use saferun_frames::{Fault, FaultStage, FrameError};

/// The end of the supervisor without a report.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The daemon closed its side: nobody is left to report to.
    Gone,
    /// Something that the daemon must be told.
    Fault(Fault),
}

impl Stop {
    pub(crate) fn boot(message: impl Into<String>) -> Self {
        Self::at(FaultStage::Boot, message)
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::at(FaultStage::Protocol, message)
    }

    pub(crate) fn hand_over(message: impl Into<String>) -> Self {
        Self::at(FaultStage::HandOver, message)
    }

    fn at(stage: FaultStage, message: impl Into<String>) -> Self {
        Self::Fault(Fault {
            stage,
            message: message.into(),
        })
    }
}

impl From<FrameError> for Stop {
    fn from(error: FrameError) -> Self {
        Self::protocol(error.to_string())
    }
}
