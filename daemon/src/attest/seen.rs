//! What each witness saw of a setting, in canonical words; `None` if nothing.

use saferun_frames::Facts;

use super::{
    expected::{Asked, bare_id, pages},
    field::Field,
    mounts, status,
};
use crate::engine::{OuterFacts, is_gvisor};

/// Devices that the kernel puts into each new network namespace when a module for tunnels is
/// loaded on the host. They are down, and bringing one up needs a capability that is not there.
const FALLBACK_TUNNELS: [&str; 9] = [
    "erspan0", "gre0", "gretap0", "ip6_vti0", "ip6gre0", "ip6tnl0", "ip_vti0", "sit0", "tunl0",
];

/// The supervisor's view.
pub(super) fn inside(field: Field, facts: &Facts, asked: &Asked<'_>) -> Option<String> {
    let pair = |values: [u64; 2]| format!("{} {}", values[0], values[1]);
    Some(match field {
        Field::Uid => four(facts.uid?),
        Field::Gid => four(facts.gid?),
        Field::ExtraGroups => {
            status::extra_groups(facts.groups.as_ref()?.iter().copied(), asked.identity.uid)
        }
        Field::Capabilities => {
            let mut sets = facts.capabilities.as_deref()?;
            if is_gvisor(&asked.template.runtime)
                && sets.len() == 5
                && status::masks(&sets[4..]) == "0"
            {
                sets = &sets[..4];
            }
            status::masks(sets)
        }
        Field::NoNewPrivs => u8::from(facts.no_new_privs?).to_string(),
        Field::Seccomp => facts.seccomp?.to_string(),
        Field::RootReadOnly => facts.root_read_only?.to_string(),
        Field::WritableMounts => mounts::seen(facts.writable_mounts.as_ref()?, asked.template),
        Field::Interfaces => interfaces(facts.interfaces.as_ref()?),
        Field::MemoryLimit => pages(facts.memory_limit?).to_string(),
        Field::SwapLimit => pages(facts.swap_limit?).to_string(),
        Field::CpuMillis => facts.cpu_millis?.to_string(),
        Field::PidsLimit => facts.pids_limit?.to_string(),
        Field::OpenFiles => pair(facts.open_files?),
        Field::CoreSize => pair(facts.core_size?),
        Field::Dumpable => facts.dumpable?.to_string(),
        Field::Kernel => facts.kernel.clone()?,
        Field::Covered => facts.covered?.to_string(),
        Field::LeftBehind => match facts.left_behind.as_deref()? {
            [] => "none".to_owned(),
            left => left.join(", "),
        },
        Field::Declared(_) => return None,
    })
}

/// The daemon's view.
pub(super) fn outside(field: Field, facts: &OuterFacts, asked: &Asked<'_>) -> Option<String> {
    let line = |name| status::line(facts.proc_status.as_deref()?, name);
    Some(match field {
        Field::Uid => line("Uid")?,
        Field::Gid => line("Gid")?,
        Field::ExtraGroups => {
            let groups = line("Groups")?
                .split_whitespace()
                .map(str::parse)
                .collect::<Result<Vec<u32>, _>>()
                .ok()?;
            let own = status::on_host(facts.uid_map.as_deref()?, asked.identity.uid)?;
            status::extra_groups(groups.into_iter(), own)
        }
        Field::Capabilities => status::capabilities(facts.proc_status.as_deref()?)?,
        Field::NoNewPrivs => line("NoNewPrivs")?,
        Field::Seccomp => line("Seccomp")?,
        Field::MemoryLimit => pages(facts.memory_limit?).to_string(),
        Field::SwapLimit => pages(facts.swap_limit?).to_string(),
        Field::CpuMillis => facts.cpu_millis?.to_string(),
        Field::PidsLimit => facts.pids_limit?.to_string(),
        Field::Declared(name) => {
            let (_, value) = facts.declared.iter().find(|(given, _)| *given == name)?;
            if name == "image" {
                bare_id(value).to_owned()
            } else {
                value.clone()
            }
        }
        Field::RootReadOnly
        | Field::WritableMounts
        | Field::Interfaces
        | Field::OpenFiles
        | Field::CoreSize
        | Field::Dumpable
        | Field::Kernel
        | Field::Covered
        | Field::LeftBehind => return None,
    })
}

fn four(ids: [u32; 4]) -> String {
    ids.map(|id| id.to_string()).join(" ")
}

fn interfaces(names: &[String]) -> String {
    let mut names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !FALLBACK_TUNNELS.contains(name))
        .collect();
    names.sort_unstable();
    names.join(",")
}
