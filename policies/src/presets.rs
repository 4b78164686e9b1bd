//! The policies that ship with SafeRun.

use std::time::Duration;

use crate::action::{Action, Levels};
use crate::decision::{ClientKind, Runtime};
use crate::limits::{Bounded, Limits};
use crate::policy::{Network, OverrideRules, Policy};
use crate::rate::RateLimits;
use crate::units::{Bytes, MilliCpus};

const NAMES: [&str; 4] = ["default", "strict", "permissive", "agent"];

/// Names of the presets.
#[must_use]
pub fn preset_names() -> &'static [&'static str] {
    &NAMES
}

/// The policy of one preset.
#[must_use]
pub fn preset(name: &str) -> Option<Policy> {
    let (high, blocked, allowed) = match name {
        "default" => (Action::ISOLATE_IF_AVAILABLE, Action::OVERRIDE, true),
        "strict" => (Action::OVERRIDE, Action::REFUSE, true),
        "permissive" => (Action::RUN, Action::RUN, true),
        "agent" => (Action::OVERRIDE, Action::REFUSE, false),
        _ => return None,
    };
    let second = Duration::from_secs(1);
    Some(Policy {
        name: name.to_owned(),
        limits: Limits {
            time: Bounded {
                default: 30 * second,
                max: 600 * second,
            },
            memory: Bounded {
                default: Bytes::mib(256),
                max: Bytes::gib(2),
            },
            cpus: Bounded {
                default: MilliCpus::cpus(1),
                max: MilliCpus::cpus(2),
            },
            pids: Bounded {
                default: 64,
                max: 512,
            },
            open_files: Bounded {
                default: 256,
                max: 4096,
            },
            tmpfs: Bounded {
                default: Bytes::mib(64),
                max: Bytes::gib(1),
            },
            output: Bounded {
                default: Bytes::mib(1),
                max: Bytes::mib(64),
            },
            source: Bounded::fixed(Bytes::mib(1)),
            artifacts: Bounded {
                default: Bytes::mib(16),
                max: Bytes::mib(256),
            },
            artifact_count: Bounded {
                default: 64,
                max: 1024,
            },
            concurrency: 4,
            queue: 64,
            rate: RateLimits::default(),
        },
        levels: Levels {
            low: Action::RUN,
            medium: Action::RUN,
            high,
            blocked,
        },
        network: Network::None,
        runtime: Runtime::Runc,
        override_rules: OverrideRules {
            allowed,
            reason_required: true,
            unattended: false,
            who: vec![ClientKind::Terminal, ClientKind::Editor],
        },
    })
}
