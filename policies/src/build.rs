//! From merged values to the typed [`Policy`]. A key that is missing gives the strictest value, never the loosest;
//! a test makes sure that `default.yaml` leaves none missing.

use std::time::Duration;

use crate::action::{Action, Levels};
use crate::decision::{ClientKind, Runtime};
use crate::limits::{Bounded, Limits};
use crate::merge::Merged;
use crate::policy::Policy;
use crate::rate::{Rate, RateLimits};
use crate::sections::{
    AlertRules, AuditRules, Enforcement, Folder, ImageRules, Network, OverrideRules, Response,
    Retention, Returns, SourceRecord, Trace, Variant, WatchRules,
};
use crate::units::{Bytes, MilliCpus};
use crate::value::Value;

impl Policy {
    pub(crate) fn build(name: String, merged: Merged) -> Self {
        let get = Getter(&merged);
        Self {
            name,
            limits: get.limits(),
            levels: Levels {
                low: get.action("levels.LOW"),
                medium: get.action("levels.MEDIUM"),
                high: get.action("levels.HIGH"),
                blocked: get.action("levels.BLOCKED"),
            },
            network: Network::from_word(get.word("network")).unwrap_or(Network::None),
            runtime: if get.word("runtime") == "runc" {
                Runtime::Runc
            } else {
                Runtime::Runsc
            },
            enforcement: Enforcement::from_word(get.word("enforcement"))
                .unwrap_or(Enforcement::Strict),
            honour_suppressions: get.word("suppressions") == "honour",
            writable: get
                .words("filesystem.writable")
                .into_iter()
                .filter_map(Folder::from_word)
                .collect(),
            returns: Returns {
                output: get.yes("returns.output"),
                artifacts: get.yes("returns.artifacts"),
                diff: get.yes("returns.diff"),
            },
            image: ImageRules {
                variant: Variant::from_word(get.word("image.variant")).unwrap_or(Variant::Auto),
                warn_age: get.time("image.warn_age"),
                refuse_age: get.time("image.refuse_age"),
            },
            trace: Trace::from_word(get.word("trace")).unwrap_or(Trace::Full),
            effects: get.word("effects") != "off",
            override_rules: OverrideRules {
                allowed: get.yes("override.allowed"),
                reason_required: get.bool("override.reason_required").unwrap_or(true),
                unattended: get.yes("override.unattended"),
                who: clients(&get.words("override.who")),
            },
            audit: AuditRules {
                survives_power_loss: get.word("audit.durability") != "process",
                source: SourceRecord::from_word(get.word("audit.source"))
                    .unwrap_or(SourceRecord::Redacted),
                output: get.yes("audit.output"),
                refuse_unrecorded: get.word("audit.on_failure") != "run",
            },
            retention: Retention {
                age: get.time("retention.age"),
                size: get.bytes("retention.size"),
                show: get.count("retention.show"),
            },
            alerts: AlertRules {
                refused: get.rates("alerts.refused"),
                failed: get.rates("alerts.failed"),
                quiet: get.time("alerts.quiet"),
                command: get.texts("alerts.command"),
            },
            watch: get.watch(),
            merged,
        }
    }
}

fn clients(words: &[&'static str]) -> Vec<ClientKind> {
    ClientKind::ALL
        .into_iter()
        .filter(|kind| words.contains(&kind.as_str()))
        .collect()
}

struct Getter<'a>(&'a Merged);

impl Getter<'_> {
    fn value(&self, key: &str) -> Option<&Value> {
        self.0.values.get(key).map(|effective| &effective.value)
    }

    fn limits(&self) -> Limits {
        Limits {
            time: self.both("time", Self::time),
            memory: self.both("memory", Self::bytes),
            cpus: self.both("cpus", Self::cpus),
            pids: self.both("pids", Self::count),
            open_files: self.both("open_files", Self::count),
            tmpfs: self.both("tmpfs", Self::bytes),
            output: self.both("output", Self::bytes),
            source: self.both("source", Self::bytes),
            artifacts: self.both("artifacts", Self::bytes),
            artifact_count: self.both("artifact_count", Self::count),
            concurrency: self.count("limits.concurrency"),
            queue: self.count("limits.queue"),
            queue_wait: self.time("limits.queue_wait"),
            rate: RateLimits {
                per_client: self.rates("limits.rate.per_client"),
                per_code: self.rates("limits.rate.per_code"),
                reserved_for_people: match self.value("limits.rate.reserved_for_people") {
                    Some(Value::Percent(percent)) => *percent,
                    _ => 0,
                },
            },
        }
    }

    fn watch(&self) -> WatchRules {
        let respond = |level: &str| {
            let words = self.words(&format!("watch.on_finding.{level}"));
            words.into_iter().filter_map(Response::from_word).collect()
        };
        WatchRules {
            roots: self.texts("watch.roots"),
            ignore: self.texts("watch.ignore"),
            only_generated: self.yes("watch.only_generated"),
            generated_paths: self.texts("watch.generated.paths"),
            generated_markers: self.texts("watch.generated.markers"),
            generated_folders: self.texts("watch.generated.folders"),
            generated_since: self.text("watch.generated.since"),
            on_finding: ["LOW", "MEDIUM", "HIGH", "BLOCKED"].map(respond),
            rate: self.rates("watch.rate"),
        }
    }

    fn both<T>(&self, limit: &str, get: impl Fn(&Self, &str) -> T) -> Bounded<T> {
        Bounded {
            default: get(self, &format!("limits.{limit}.default")),
            max: get(self, &format!("limits.{limit}.max")),
        }
    }

    fn action(&self, key: &str) -> Action {
        match self.value(key) {
            Some(Value::Action(action)) => *action,
            _ => Action::REFUSE,
        }
    }

    fn bool(&self, key: &str) -> Option<bool> {
        match self.value(key) {
            Some(Value::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    fn yes(&self, key: &str) -> bool {
        self.bool(key).unwrap_or(false)
    }

    fn word(&self, key: &str) -> &'static str {
        match self.value(key) {
            Some(Value::Word(word)) => word,
            _ => "",
        }
    }

    fn words(&self, key: &str) -> Vec<&'static str> {
        match self.value(key) {
            Some(Value::Words(words)) => words.clone(),
            _ => Vec::new(),
        }
    }

    fn texts(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            Some(Value::Texts(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }

    fn text(&self, key: &str) -> String {
        match self.value(key) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    fn rates(&self, key: &str) -> Vec<Rate> {
        match self.value(key) {
            Some(Value::Rates(rates)) => rates.clone(),
            _ => Vec::new(),
        }
    }

    fn time(&self, key: &str) -> Duration {
        match self.value(key) {
            Some(Value::Time(time)) => *time,
            _ => Duration::ZERO,
        }
    }

    fn bytes(&self, key: &str) -> Bytes {
        match self.value(key) {
            Some(Value::Bytes(bytes)) => *bytes,
            _ => Bytes(0),
        }
    }

    fn cpus(&self, key: &str) -> MilliCpus {
        match self.value(key) {
            Some(Value::Cpus(cpus)) => *cpus,
            _ => MilliCpus(0),
        }
    }

    fn count(&self, key: &str) -> u32 {
        match self.value(key) {
            Some(Value::Count(count)) => *count,
            _ => 0,
        }
    }
}
