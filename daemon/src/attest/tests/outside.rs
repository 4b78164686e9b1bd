//! The outer witness, flipped and taken away piece by piece.

use super::*;

#[test]
fn each_line_that_the_daemon_reads_of_the_process_counts() {
    let lines = [
        ("Uid", "uid", true),
        ("Gid", "gid", true),
        ("Groups", "extra_groups", true),
        ("CapInh", "capabilities", true),
        ("CapPrm", "capabilities", true),
        ("CapEff", "capabilities", true),
        ("CapBnd", "capabilities", true),
        ("CapAmb", "capabilities", true),
        ("NoNewPrivs", "no_new_privs", false),
        ("Seccomp", "seccomp", false),
    ];
    for (line, field, only_runc) in lines {
        for (kind, make) in kinds() {
            if !kind.ends_with("local") || (only_runc && kind.starts_with("runsc")) {
                continue;
            }
            for replacement in [None, Some("9")] {
                let mut case = make();
                let status = case.outer.proc_status.take().unwrap();
                let edited: String = status
                    .lines()
                    .filter_map(|text| {
                        let hit = text
                            .strip_prefix(line)
                            .is_some_and(|rest| rest.starts_with(':'));
                        match (hit, replacement) {
                            (false, _) => Some(format!("{text}\n")),
                            (true, Some(value)) => Some(format!("{line}:\t{value}\n")),
                            (true, None) => None,
                        }
                    })
                    .collect();
                case.outer.proc_status = Some(edited);
                case.refuses(field, &format!("{line} {replacement:?} outside ({kind})"));
            }
        }
    }
}

type Flip = fn(&mut OuterFacts);

#[test]
fn each_limit_on_the_host_that_is_wrong_or_missing_refuses() {
    let flips: [(&str, Flip); 12] = [
        ("memory_limit", |facts| facts.memory_limit = None),
        ("memory_limit", |facts| facts.memory_limit = Some(u64::MAX)),
        ("swap_limit", |facts| facts.swap_limit = None),
        ("swap_limit", |facts| facts.swap_limit = Some(u64::MAX)),
        ("cpu_millis", |facts| facts.cpu_millis = None),
        ("cpu_millis", |facts| facts.cpu_millis = Some(u64::MAX)),
        ("pids_limit", |facts| facts.pids_limit = None),
        ("pids_limit", |facts| facts.pids_limit = Some(u64::MAX)),
        ("memory_limit", |facts| {
            facts.memory_limit = facts.memory_limit.map(|n| n + 4096);
        }),
        ("pids_limit", |facts| {
            facts.pids_limit = facts.pids_limit.map(|n| n + 1);
        }),
        ("cpu_millis", |facts| {
            facts.cpu_millis = facts.cpu_millis.map(|n| n + 1);
        }),
        ("swap_limit", |facts| {
            facts.swap_limit = facts.swap_limit.map(|n| n + 4096);
        }),
    ];
    for (kind, make) in kinds()
        .into_iter()
        .filter(|(kind, _)| kind.ends_with("local"))
    {
        for (field, flip) in flips {
            let mut case = make();
            flip(&mut case.outer);
            case.refuses(field, &kind);
        }
    }
}

#[test]
fn each_thing_that_the_engine_declares_counts() {
    for (kind, make) in kinds() {
        let names: Vec<&str> = make()
            .outer
            .declared
            .iter()
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(names.len(), field::DECLARED.len());
        for name in names {
            let mut case = make();
            case.outer.declared.retain(|(given, _)| *given != name);
            case.refuses(name, &format!("nothing declared ({kind})"));
            let mut case = make();
            for (given, value) in &mut case.outer.declared {
                if *given == name {
                    value.push('x');
                }
            }
            case.refuses(name, &format!("something else declared ({kind})"));
        }
    }
}

#[test]
fn under_a_user_namespace_the_host_sees_the_mapped_uid() {
    let mut case = runc(2, true);
    case.outer.uid_map = Some("0 100000 900000\n".to_owned());
    case.refuses("uid", "a map that moves it");
    let status = case.outer.proc_status.take().unwrap();
    case.outer.proc_status = Some(status.replace("870003", "970003"));
    case.attest().unwrap();
    case.outer.uid_map = None;
    case.refuses("uid", "no map");
}
