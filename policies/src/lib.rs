//! YAML to `Policy`; `Policy` and findings to `Decision`. Pure: no file system, no environment, no clock.
//!
//! ```
//! use saferun_policy::{DecisionRequest, LayerKind, Source, Verdict, load};
//!
//! let user = Source::yaml(LayerKind::User, "policy.yaml", "version: 1\nlevels: {HIGH: override}\n");
//! let project = Source::yaml(LayerKind::Project, ".saferun.yaml", "version: 1\nlimits: {time: 5s}\n");
//! let loaded = load(&[user, project])?;
//! let report = saferun_scanner::Report::default();
//! let decision = loaded.policy.decide(&report, &DecisionRequest::default());
//! assert_eq!(decision.verdict, Verdict::Allow);
//! println!("{}", loaded.explain(&|_| report.clone(), &DecisionRequest::default(), None));
//! # Ok::<(), saferun_policy::Diagnostics>(())
//! ```

mod action;
mod advice;
mod amend;
mod build;
mod contradictions;
mod decide;
mod decision;
mod diagnostic;
mod dormant;
mod editor;
mod expectations;
mod explain;
#[cfg(test)]
mod extremes;
mod hash;
mod keys;
#[cfg(test)]
mod laws;
mod layer;
mod limits;
mod load;
mod matters;
mod merge;
mod names;
mod origin;
mod paths;
mod policy;
mod presets;
mod rate;
mod read;
mod rules;
mod schema;
mod sections;
mod show;
mod trust;
mod units;
mod units_parse;
mod value;
mod window;
mod yaml;

pub use action::{Action, Gate, Levels, Tier};
pub use decide::level_key;
pub use decision::{Clause, ClientKind, Decision, DecisionRequest, Runtime, Verdict};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use editor::{KeyInfo, key_at, key_info, keys_below};
pub use expectations::TestOutcome;
pub use explain::{Explanation, Point};
pub use layer::{Content, Expectation, Reach, Source};
pub use limits::{Bounded, EffectiveLimits, LimitError, Limits, RequestedLimits, floor};
pub use load::{Loaded, check, check_beside, load};
pub use merge::{Fate, Step};
pub use origin::{LayerKind, Origin};
pub use policy::Policy;
pub use presets::{preset, preset_names, preset_text};
pub use rate::{MAX_ALERT_COUNT, MAX_WATCH_COUNT, Rate, RateLimits};
pub use schema::{documented_keys, key_table, schema};
pub use sections::{
    AlertRules, AuditRules, Enforcement, Folder, ImageRules, Network, OverrideRules, Response,
    Retention, Returns, SourceRecord, Trace, Variant, WatchRules,
};
pub use show::Shown;
pub use trust::{Distrust, FileFacts, Trust, trust};
pub use units::{Bytes, MilliCpus, show_duration};
pub use window::{Horizon, RateKind, RateLimited, RateWindows};
pub use yaml::{MAX_BYTES, MAX_DEPTH};
