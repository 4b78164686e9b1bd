//! The seccomp profile: an allow-list kept as commented data, rendered once to Docker's JSON.
//!
//! Only the native 64-bit ABI is in it: a 32-bit (`int 0x80`) or x32 call is not compared with the
//! list at all, the kernel kills the process that makes it.
//!
//! What a program can notice, by `CPython` 3.11's own tests against the engine's default profile
//! (`os`, `posix`, `socket`, `subprocess`, `mmap`, `threading`, `signal`, `pty`, `selectors`,
//! `io` and 30 more): `os.memfd_create` and `socket.if_nameindex` fail, nothing else.
//!
//! gVisor does not apply it: there the sentry answers every call, under a filter of its own.

use std::sync::LazyLock;

use serde_json::{Value, json};

use self::{
    allow::ALLOW,
    arguments::{CONDITIONS, IOCTL_MASK, IOCTLS},
    refuse::{EPERM, REFUSE},
};

#[rustfmt::skip]
mod allow;
mod arguments;
#[rustfmt::skip]
mod refuse;

/// Address families above `AF_INET6` answer "not supported", as on a kernel without them.
const EAFNOSUPPORT: u32 = 97;
const AF_INET6: u64 = 10;

static PROFILE: LazyLock<String> = LazyLock::new(|| render().to_string());

/// The profile in Docker's JSON, always the same text.
pub(super) fn profile() -> &'static str {
    &PROFILE
}

fn render() -> Value {
    let mut rules: Vec<Value> = Vec::new();
    for group in ALLOW {
        rules.push(json!({
            "names": group.calls, "action": "SCMP_ACT_ALLOW", "comment": group.purpose,
        }));
    }
    for condition in CONDITIONS {
        rules.push(json!({
            "names": [condition.call], "action": "SCMP_ACT_ALLOW", "comment": condition.purpose,
            "args": condition.tests.iter().map(|test| masked(*test)).collect::<Vec<_>>(),
        }));
    }
    for (command, purpose) in IOCTLS {
        rules.push(json!({
            "names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "comment": purpose,
            "args": [masked((1, IOCTL_MASK, *command))],
        }));
    }
    rules.push(json!({
        "names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": EAFNOSUPPORT,
        "args": [{"index": 0, "value": AF_INET6, "valueTwo": 0, "op": "SCMP_CMP_GT"}],
    }));
    // The default answer is EPERM; a rule with the default's own action would be refused as void.
    for refusal in REFUSE.iter().filter(|refusal| refusal.errno != EPERM) {
        rules.push(json!({
            "names": refusal.calls, "action": "SCMP_ACT_ERRNO", "errnoRet": refusal.errno,
            "comment": refusal.reason,
        }));
    }
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
        ],
        "syscalls": rules,
    })
}

fn masked((index, mask, value): (u32, u64, u64)) -> Value {
    json!({"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"})
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn allowed() -> Vec<&'static str> {
        ALLOW
            .iter()
            .flat_map(|group| group.calls)
            .copied()
            .collect()
    }

    #[test]
    fn no_call_stands_twice() {
        let mut seen = HashSet::new();
        let refused = REFUSE.iter().flat_map(|refusal| refusal.calls).copied();
        for call in allowed().into_iter().chain(refused) {
            assert!(seen.insert(call), "{call}");
        }
        for condition in CONDITIONS {
            assert!(
                !seen.contains(condition.call),
                "{} is in a plain list too",
                condition.call
            );
        }
        let commands: HashSet<_> = IOCTLS.iter().map(|(command, _)| command).collect();
        assert_eq!(commands.len(), IOCTLS.len());
    }

    #[test]
    fn nothing_that_is_refused_on_purpose_is_allowed() {
        let allowed: HashSet<_> = allowed().into_iter().collect();
        for refusal in REFUSE {
            for call in refusal.calls {
                assert!(!allowed.contains(call), "{call}: {}", refusal.reason);
            }
        }
        for command in [0x5412, 0x541c, 0x5423] {
            assert!(
                IOCTLS.iter().all(|(allowed, _)| *allowed != command),
                "{command:#x}"
            );
        }
    }

    #[test]
    fn a_value_lies_inside_its_mask() {
        // Otherwise the comparison can never hold, and the rule means nothing.
        for condition in CONDITIONS {
            for (_, mask, value) in condition.tests {
                assert_eq!(value & mask, *value, "{}", condition.purpose);
            }
        }
    }

    #[test]
    fn the_json_is_what_the_engine_reads() {
        let profile: Value = serde_json::from_str(profile()).unwrap();
        assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
        for arch in profile["archMap"].as_array().unwrap() {
            assert_eq!(arch["subArchitectures"], json!([]), "no 32-bit ABI");
        }
        for rule in profile["syscalls"].as_array().unwrap() {
            assert!(!rule["names"].as_array().unwrap().is_empty());
            // One test for each index: the runtime turns two into alternatives.
            let indices: Vec<_> = rule["args"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|arg| &arg["index"])
                .collect();
            assert!(indices.len() < 2, "{rule}");
        }
    }
}
