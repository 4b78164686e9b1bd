//! What the user set: from the initialization options, then from `workspace/configuration`. A value of the wrong type
//! is passed over, and said in the log; none of them can name a program.

use saferun_scanner::Level;
use serde_json::Value;

/// The settings, all optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Preset to run under; `None` for the daemon's.
    pub(crate) policy: Option<String>,
    /// Findings below this level are not shown.
    pub(crate) minimum_level: Level,
    /// Whether the risk and the run button stand above the code.
    pub(crate) code_lens: bool,
    /// Time limit asked for, in milliseconds.
    pub(crate) timeout_ms: Option<u64>,
    /// Memory asked for, in bytes.
    pub(crate) memory_bytes: Option<u64>,
    /// Whether the run action may start the daemon.
    pub(crate) start_daemon: bool,
    /// Whether runs are traced: what was tried, and at which line.
    pub(crate) trace: bool,
    /// Which files of the workspace are shown that are not open.
    pub(crate) watch: WatchFiles,
}

/// Files of the workspace that are not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum WatchFiles {
    /// All with findings.
    #[default]
    All,
    /// Those that a model wrote, as the policy recognises them.
    Generated,
    /// None.
    Off,
}

impl WatchFiles {
    fn of(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            "generated" => Some(Self::Generated),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: None,
            minimum_level: Level::Low,
            code_lens: true,
            timeout_ms: None,
            memory_bytes: None,
            start_daemon: true,
            trace: true,
            watch: WatchFiles::All,
        }
    }
}

impl Settings {
    /// Reads the section `saferun`, and says what could not be used.
    pub(crate) fn read(section: &Value) -> (Self, Vec<String>) {
        let mut settings = Self::default();
        let mut wrong = Vec::new();
        let section = section.get("saferun").unwrap_or(section);
        let Some(section) = section.as_object() else {
            if !section.is_null() {
                wrong.push("the section `saferun` is not an object".to_owned());
            }
            return (settings, wrong);
        };
        for (key, value) in section {
            if value.is_null() {
                continue;
            }
            let good = match key.as_str() {
                "policy" => value.as_str().map(|name| {
                    settings.policy = (!name.is_empty()).then(|| name.to_owned());
                }),
                "minimumLevel" => value
                    .as_str()
                    .and_then(|name| name.parse().ok())
                    .map(|level| settings.minimum_level = level),
                "codeLens" => value.as_bool().map(|on| settings.code_lens = on),
                "trace" => value.as_bool().map(|on| settings.trace = on),
                "startDaemon" => value.as_bool().map(|on| settings.start_daemon = on),
                "watch" => value
                    .as_str()
                    .and_then(WatchFiles::of)
                    .map(|watch| settings.watch = watch),
                "timeoutSeconds" => amount(value).map(|seconds| {
                    settings.timeout_ms = (seconds > 0).then(|| seconds.saturating_mul(1000));
                }),
                "memoryMiB" => amount(value).map(|size| {
                    settings.memory_bytes = (size > 0).then(|| size.saturating_mul(1024 * 1024));
                }),
                // The plugins have settings of their own in the same section.
                _ => Some(()),
            };
            if good.is_none() {
                wrong.push(format!("saferun.{key} has a value that cannot be used"));
            }
        }
        (settings, wrong)
    }
}

fn amount(value: &Value) -> Option<u64> {
    value.as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_the_wrong_type_are_passed_over_and_named() {
        let (settings, wrong) = Settings::read(&json!({
            "policy": "strict", "minimumLevel": "HIGH", "watch": "generated", "codeLens": "yes", "timeoutSeconds": -1, "server": {"path": "x"},
        }));
        assert_eq!(settings.policy.as_deref(), Some("strict"));
        assert_eq!(settings.minimum_level, Level::High);
        assert_eq!(settings.watch, WatchFiles::Generated);
        assert!(settings.code_lens);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
    }

    #[test]
    fn nothing_is_the_default() {
        for section in [json!(null), json!({}), json!({"saferun": {}})] {
            assert_eq!(Settings::read(&section), (Settings::default(), vec![]));
        }
        assert_eq!(Settings::read(&json!(3)).1.len(), 1);
    }
}
