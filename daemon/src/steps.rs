//! Named steps of a run's life and of its container's. In a debug build the variable `SAFERUN_TEST_DIE_AT` makes the
//! daemon kill itself with SIGKILL at one of them, so that tests see what a crash at just that moment leaves. In a
//! release build a step is nothing, and the variable is not read.

/// Where a daemon may die. The order is that of a run's life; a container's begins before its run's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Its name is in the journal; the engine has not heard of it.
    ContainerJournaled,
    /// The engine made it; its id is not in the journal.
    ContainerCreated,
    /// It was started; its supervisor has not said that it is ready.
    ContainerStarted,
    /// It was found to be what it should be; nobody was told.
    ContainerAttested,
    /// A run was accepted; nothing of it is on disk.
    RunAccepted,
    /// Its start is in the record.
    StartRecorded,
    /// It has its container.
    ContainerLeased,
    /// The whole script was handed over.
    ScriptHandedOver,
    /// The first frame came back.
    FirstFrame,
    /// It is over; its end is not in the record.
    RunEnded,
    /// Its end is in the record; its caller has not heard of it.
    EndRecorded,
    /// Its container was killed and stands yet.
    ContainerKilled,
    /// Its container is gone; the journal still names it.
    ContainerRemoved,
    /// The journal has forgotten it.
    ContainerForgotten,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ContainerJournaled,
        Self::ContainerCreated,
        Self::ContainerStarted,
        Self::ContainerAttested,
        Self::RunAccepted,
        Self::StartRecorded,
        Self::ContainerLeased,
        Self::ScriptHandedOver,
        Self::FirstFrame,
        Self::RunEnded,
        Self::EndRecorded,
        Self::ContainerKilled,
        Self::ContainerRemoved,
        Self::ContainerForgotten,
    ];

    /// Its name in `SAFERUN_TEST_DIE_AT`; behind it may stand which time it is passed, from 1: `RunEnded:2`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}")
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(crate) const fn reached(_: Step) {}

/// Dies here if it was told to.
#[cfg(debug_assertions)]
pub(crate) fn reached(step: Step) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };

    static WANTED: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
        let told = std::env::var("SAFERUN_TEST_DIE_AT").ok()?;
        let (name, time) = told.split_once(':').unwrap_or((&told, "1"));
        Some((name.to_owned(), time.parse().ok()?))
    });
    static PASSED: AtomicU32 = AtomicU32::new(0);

    let Some((name, time)) = &*WANTED else { return };
    if *name == step.name() && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *time {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::SIGKILL);
    }
}
