//! The most that a request may ask for: the maximum itself is granted and read back from the kernel, one more is refused
//! by the limit's name.

use std::time::Duration;

use saferun_policy::{preset, preset_names};
use saferun_protocol::{Code, Outcome, RunRequest};
use saferun_tests::Daemon;

use super::{ask, attested, ends, passes, request};

/// Asks for all of a preset's maxima at once.
pub(crate) fn at_most(name: &str, source: impl Into<String>) -> RunRequest {
    let limits = preset(name).expect("a preset").limits;
    let mut asked = request(name, source);
    asked.limits.time_ms = Some(millis(limits.time.max));
    asked.limits.memory_bytes = Some(limits.memory.max.get());
    asked.limits.cpu_millis = Some(limits.cpus.max.get().into());
    asked.limits.pids = Some(limits.pids.max);
    asked.limits.output_bytes = Some(limits.output.max.get());
    asked.limits.open_files = Some(limits.open_files.max);
    asked.limits.tmpfs_bytes = Some(limits.tmpfs.max.get());
    asked.limits.source_bytes = Some(limits.source.max.get());
    asked.limits.artifacts_bytes = Some(limits.artifacts.max.get());
    asked.limits.artifact_count = Some(limits.artifact_count.max);
    asked
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("a day fits")
}

#[test]
fn each_maximum_is_granted_read_back_and_the_end_of_it() {
    type More = fn(&mut RunRequest);
    let more: [(&str, More); 10] = [
        ("time", |r| *r.limits.time_ms.as_mut().expect("set") += 1),
        ("memory", |r| {
            *r.limits.memory_bytes.as_mut().expect("set") += 1;
        }),
        ("cpus", |r| *r.limits.cpu_millis.as_mut().expect("set") += 1),
        ("pids", |r| *r.limits.pids.as_mut().expect("set") += 1),
        ("output", |r| {
            *r.limits.output_bytes.as_mut().expect("set") += 1;
        }),
        ("open_files", |r| {
            *r.limits.open_files.as_mut().expect("set") += 1;
        }),
        ("tmpfs", |r| {
            *r.limits.tmpfs_bytes.as_mut().expect("set") += 1;
        }),
        ("source", |r| {
            *r.limits.source_bytes.as_mut().expect("set") += 1;
        }),
        ("artifacts", |r| {
            *r.limits.artifacts_bytes.as_mut().expect("set") += 1;
        }),
        ("artifact_count", |r| {
            *r.limits.artifact_count.as_mut().expect("set") += 1;
        }),
    ];
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for name in preset_names().iter().copied() {
        let limits = preset(name).expect("a preset").limits;
        let result = passes(&daemon, &name, at_most(name, "pass"));
        let held = &result.limits;
        assert_eq!(held.time_ms, millis(limits.time.max), "{name}");
        assert_eq!(held.output_bytes, limits.output.max.get(), "{name}");
        for (field, value) in [
            ("memory_limit", limits.memory.max.get().to_string()),
            ("cpu_millis", limits.cpus.max.get().to_string()),
            ("pids_limit", limits.pids.max.to_string()),
            ("open_files", format!("{0} {0}", limits.open_files.max)),
        ] {
            assert!(
                attested(&result, field).contains(&value),
                "{name}: {field} is not {value}: {:?}",
                attested(&result, field)
            );
        }
        let size = format!("/tmp size={} ", limits.tmpfs.max.get());
        assert!(
            attested(&result, "writable_mounts")[0].contains(&size),
            "{name}"
        );
        for (limit, add) in more {
            let mut asked = at_most(name, "pass");
            add(&mut asked);
            let (code, message) = ask(&daemon, asked).expect_err("one more");
            assert_eq!(code, Code::LimitAboveMaximum, "{name} {limit}: {message}");
            assert!(
                message.starts_with(limit) && message.contains("allows at most"),
                "{name} {limit}: {message}"
            );
        }
    }
}

#[test]
fn a_run_that_asks_for_less_time_than_it_may_have_ends_there() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for name in preset_names().iter().copied() {
        let mut asked = at_most(name, "while True: pass");
        asked.limits.time_ms = Some(700);
        let result = ends(&daemon, &name, Outcome::Timeout, asked);
        assert_eq!(result.limits.time_ms, 700, "{name}");
        assert!(result.timing.run_ms >= 700.0, "{name}: {result:#?}");
    }
}
