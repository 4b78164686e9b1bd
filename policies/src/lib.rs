//! YAML to `Policy`; `Policy` and findings to `Decision`. Pure: no file system, no environment, no clock.

mod action;
mod decide;
mod decision;
mod limits;
mod origin;
mod policy;
mod presets;
mod rate;
mod units;

pub use action::{Action, Gate, Levels, Tier};
pub use decide::level_key;
pub use decision::{Clause, ClientKind, Decision, DecisionRequest, Runtime, Verdict};
pub use limits::{Bounded, EffectiveLimits, LimitError, Limits, RequestedLimits, floor};
pub use origin::{LayerKind, Origin};
pub use policy::{Network, OverrideRules, Policy};
pub use presets::{preset, preset_names};
pub use rate::{Rate, RateLimits};
pub use units::{Bytes, MilliCpus, show_duration};
