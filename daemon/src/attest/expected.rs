//! What each setting must be, in the same canonical words as `seen`.

use saferun_protocol::Witness;

use super::{field::Field, mounts, status};
use crate::engine::{Capabilities, Identity, OuterFacts, Template, host_tasks, is_gvisor};

/// Everything that the expectations depend on.
pub(super) struct Asked<'a> {
    pub(super) template: &'a Template,
    pub(super) identity: &'a Identity,
    pub(super) capabilities: &'a Capabilities,
    /// Only for the map of a user namespace, which moves the uid that the host sees.
    pub(super) outer: &'a OuterFacts,
}

/// Kernels round limits down to whole pages.
pub(super) fn pages(bytes: u64) -> u64 {
    const PAGE: u64 = 4096;
    bytes / PAGE * PAGE
}

/// The value that this witness must see; `None` if there is no way to say, which is a refusal.
pub(super) fn value(field: Field, witness: Witness, asked: &Asked<'_>) -> Option<String> {
    let Asked {
        template,
        identity,
        capabilities,
        outer,
    } = asked;
    let memory = pages(template.memory_bytes);
    let outside = witness == Witness::Outside;
    Some(match field {
        Field::Uid | Field::Gid => {
            let id = if outside {
                status::on_host(outer.uid_map.as_deref()?, identity.uid)?
            } else {
                identity.uid
            };
            format!("{id} {id} {id} {id}")
        }
        Field::ExtraGroups | Field::LeftBehind => "none".to_owned(),
        // gVisor (2022-12) does not show the ambient set, which cannot hold what the permitted one lacks.
        Field::Capabilities if is_gvisor(&template.runtime) => "0 0 0 0".to_owned(),
        Field::Capabilities => "0 0 0 0 0".to_owned(),
        Field::NoNewPrivs => "1".to_owned(),
        Field::Seccomp => "2".to_owned(),
        Field::RootReadOnly | Field::Covered => "true".to_owned(),
        Field::WritableMounts => mounts::expected(template),
        Field::Interfaces => "lo".to_owned(),
        Field::MemoryLimit => memory.to_string(),
        Field::SwapLimit => match capabilities.cgroup_version {
            Some(1) => memory.to_string(),
            Some(2) => "0".to_owned(),
            _ => return None,
        },
        Field::CpuMillis => template.cpu_millis.to_string(),
        Field::PidsLimit if outside => host_tasks(template).to_string(),
        Field::PidsLimit => template.pids.to_string(),
        Field::OpenFiles => format!("{0} {0}", template.open_files),
        Field::CoreSize => "0 0".to_owned(),
        Field::Dumpable => "false".to_owned(),
        Field::Kernel if is_gvisor(&template.runtime) => "gvisor".to_owned(),
        Field::Kernel => "linux".to_owned(),
        Field::Declared(name) => declared(name, template, identity)?,
    })
}

fn declared(name: &str, template: &Template, identity: &Identity) -> Option<String> {
    Some(match name {
        "capabilities_added" => crate::engine::start_capabilities(&template.runtime).join(" "),
        "groups_added" | "mounts" | "pid_mode" => String::new(),
        "devices" => "0".to_owned(),
        "image" => bare_id(&template.image).to_owned(),
        "ipc_mode" => "private".to_owned(),
        "log_driver" | "network_mode" => "none".to_owned(),
        "no_new_privileges" | "read_only_root" => "true".to_owned(),
        "privileged" => "false".to_owned(),
        "runtime" => template.runtime.clone(),
        "seccomp_profile" => "saferun".to_owned(),
        "shm_bytes" => crate::engine::SHM_BYTES.to_string(),
        "user" => crate::engine::start_user(&template.runtime, identity.uid),
        _ => return None,
    })
}

/// An image id without `sha256:`, which some engines leave out.
pub(super) fn bare_id(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

/// Whether flags of a mount can be seen: gVisor (2022-12) shows `noexec` only.
pub(super) fn visible_flags(template: &Template) -> Vec<&'static str> {
    let mut flags = crate::engine::TMPFS_FLAGS.to_vec();
    if is_gvisor(&template.runtime) {
        flags.retain(|flag| *flag == "noexec");
    }
    flags.sort_unstable();
    flags
}
