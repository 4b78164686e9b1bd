//! What a run's container is made from: its limits, its folders, and what this machine cannot hold of them.

use jsonrpsee::types::ErrorObjectOwned;
use saferun_policy::{EffectiveLimits, Enforcement, Folder, Policy, RequestedLimits};
use saferun_protocol::Code;

use super::admit::Admitted;
use crate::engine::{Folders, Template, Unheld};

/// The template of an admitted run.
pub(super) fn template(admitted: &Admitted, image: String) -> Template {
    let runtime = admitted.decision.runtime.as_str();
    build(
        runtime,
        image,
        &admitted.limits,
        admitted.writable,
        admitted.unheld,
    )
}

/// The template of a policy's default limits, which is what its pool keeps warm; none if nothing could run in it.
pub(crate) fn default_template(policy: &Policy, image: String, unheld: Unheld) -> Option<Template> {
    let limits = policy.effective_limits(&RequestedLimits::default()).ok()?;
    let unheld = permitted(policy, unheld).ok()?;
    Some(build(
        policy.runtime.as_str(),
        image,
        &limits,
        writable(policy),
        unheld,
    ))
}

fn build(
    runtime: &str,
    image: String,
    limits: &EffectiveLimits,
    writable: Folders,
    unheld: Unheld,
) -> Template {
    Template {
        runtime: runtime.to_owned(),
        image,
        memory_bytes: limits.memory.get(),
        cpu_millis: u64::from(limits.cpus.get()),
        pids: limits.pids,
        tmpfs_bytes: limits.tmpfs.get(),
        open_files: limits.open_files,
        writable,
        unheld,
    }
}

/// The folders that a policy lets a run write to.
pub(super) fn writable(policy: &Policy) -> Folders {
    Folders(
        [Folder::Tmp, Folder::Workspace, Folder::Out, Folder::Home]
            .map(|folder| policy.writable.contains(&folder)),
    )
}

/// What the machine cannot hold, if the policy lets that go.
///
/// # Errors
/// The names of the limits; or that there is no folder for the script.
pub(super) fn permitted(policy: &Policy, unheld: Unheld) -> Result<Unheld, ErrorObjectOwned> {
    if writable(policy).paths().next().is_none() {
        return Err(Code::PolicyInvalid.error(
            "no folder can be written to, so there is no place for the script (filesystem.writable)",
            "leave one of tmp, workspace, out and home, best tmp",
        ));
    }
    let names = unheld.names();
    if names.is_empty() || policy.enforcement == Enforcement::BestEffort {
        return Ok(unheld);
    }
    let names: Vec<String> = names.iter().map(|name| format!("limits.{name}")).collect();
    Err(Code::LimitNotEnforceable.error(
        format!(
            "this machine cannot hold {}, so nothing runs: the engine has no such cgroup controller (an ordinary user's engine gets them in cgroup version 2 only)",
            names.join(" and ")
        ),
        "switch the controller on (`saferunctl doctor`), or say `enforcement: best_effort` in your own policy",
    ))
}

#[cfg(test)]
mod tests {
    use saferun_policy::{LayerKind, Source, load, preset, preset_names};

    use super::*;

    #[test]
    fn a_limit_that_the_machine_cannot_hold_is_named_unless_the_user_lets_it_go() {
        let unheld = Unheld {
            memory: true,
            cpu: false,
            pids: true,
        };
        for name in preset_names() {
            let policy = preset(name).unwrap();
            assert_eq!(
                permitted(&policy, Unheld::default()).unwrap(),
                Unheld::default()
            );
            let error = permitted(&policy, unheld).unwrap_err();
            assert_eq!(error.code(), Code::LimitNotEnforceable.number());
            assert!(
                error.message().contains("limits.memory and limits.pids"),
                "{name}"
            );
            assert_eq!(default_template(&policy, String::new(), unheld), None);
        }
        let own = "version: 1\nenforcement: best_effort\n";
        let source = Source::yaml(LayerKind::User, "u", own);
        let policy = load(&[source]).unwrap().policy;
        assert_eq!(permitted(&policy, unheld).unwrap(), unheld);
        let template = default_template(&policy, String::new(), unheld).unwrap();
        assert_eq!(template.unheld, unheld);
    }

    #[test]
    fn folders_are_those_of_the_policy() {
        let paths =
            |name: &str| -> Vec<&str> { writable(&preset(name).unwrap()).paths().collect() };
        assert_eq!(
            paths("default"),
            ["/tmp", "/workspace", "/out", "/home/sandbox"]
        );
        assert_eq!(paths("secure-sandbox"), ["/tmp", "/out", "/home/sandbox"]);
        assert_eq!(paths("safe-executor"), ["/tmp"]);
    }
}
