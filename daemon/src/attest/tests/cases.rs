//! What the witnesses see of a container that is as it must be, for each kind of engine, runtime and version of cgroups.

use super::super::*;
use crate::engine::Support;

pub(super) const UID: u32 = 870_003;

pub(super) struct Case {
    pub(super) template: Template,
    pub(super) identity: Identity,
    pub(super) capabilities: Capabilities,
    pub(super) inner: Facts,
    pub(super) outer: OuterFacts,
}

impl Case {
    pub(super) fn attest(&self) -> Result<Vec<AttestationField>, AttestationError> {
        attest(
            &self.template,
            &self.identity,
            &self.capabilities,
            &self.inner,
            &self.outer,
        )
    }

    #[track_caller]
    pub(super) fn refuses(&self, field: &str, change: &str) {
        match self.attest() {
            Ok(_) => panic!("{field} with {change} was accepted"),
            Err(error) => assert_eq!(error.field, field, "with {change}: {error}"),
        }
    }
}

fn template() -> Template {
    Template {
        runtime: "runc".to_owned(),
        image: "sha256:aa".to_owned(),
        memory_bytes: 256 << 20,
        cpu_millis: 1500,
        pids: 64,
        tmpfs_bytes: 32 << 20,
        open_files: 256,
        writable: crate::engine::Folders::ALL,
        unheld: crate::engine::Unheld::default(),
    }
}

pub(super) fn runc(cgroup_version: u8, local: bool) -> Case {
    let template = template();
    let swap = if cgroup_version == 1 { 256 << 20 } else { 0 };
    let tmpfs = |point: &str, rest: &str| {
        format!("{point} tmpfs rw,nosuid,nodev,noexec,relatime,rw,{rest}")
    };
    let own = "size=32768k,nr_inodes=8192,mode=700,uid=870003,gid=870003";
    let mut inner = Facts {
        uid: Some([UID; 4]),
        gid: Some([UID; 4]),
        groups: Some(vec![UID]),
        capabilities: Some(vec!["0000000000000000".to_owned(); 5]),
        no_new_privs: Some(true),
        seccomp: Some(2),
        root_read_only: Some(true),
        writable_mounts: Some(vec![
            "/dev tmpfs rw,nosuid,rw,size=65536k,mode=755".to_owned(),
            "/sys/fs/cgroup tmpfs rw,nosuid,nodev,noexec,relatime,rw,mode=755".to_owned(),
            tmpfs("/dev/shm", "size=16384k"),
            tmpfs("/out", own),
            tmpfs("/workspace", own),
            tmpfs("/tmp", own),
            tmpfs("/home/sandbox", own),
        ]),
        interfaces: Some(vec!["lo".to_owned(), "tunl0".to_owned()]),
        memory_limit: Some(256 << 20),
        swap_limit: Some(swap),
        cpu_millis: Some(1500),
        pids_limit: Some(64),
        open_files: Some([256, 256]),
        core_size: Some([0, 0]),
        dumpable: Some(false),
        kernel: Some("linux".to_owned()),
        covered: Some(false),
        left_behind: Some(Vec::new()),
    };
    let status = "Name:\tsaferun-init\nUid:\t870003\t870003\t870003\t870003\n\
        Gid:\t870003\t870003\t870003\t870003\nGroups:\t870003 \n\
        CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n\
        CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n\
        Seccomp_filters:\t1\n";
    let near = OuterFacts {
        pid: Some(4711),
        proc_status: Some(status.to_owned()),
        uid_map: Some("         0          0 4294967295\n".to_owned()),
        memory_limit: Some(256 << 20),
        swap_limit: Some(swap),
        cpu_millis: Some(1500),
        pids_limit: Some(64),
        declared: Vec::new(),
    };
    let declared = vec![
        ("user", "870003:870003"),
        ("image", "sha256:aa"),
        ("mounts", ""),
        ("runtime", "runc"),
        ("network_mode", "none"),
        ("privileged", "false"),
        ("read_only_root", "true"),
        ("ipc_mode", "private"),
        ("pid_mode", ""),
        ("capabilities_added", ""),
        ("groups_added", ""),
        ("devices", "0"),
        ("log_driver", "none"),
        ("shm_bytes", "16777216"),
        ("no_new_privileges", "true"),
        ("seccomp_profile", "saferun"),
    ];
    let declared = declared
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    let outer = OuterFacts {
        declared,
        ..if local { near } else { OuterFacts::default() }
    };
    if cgroup_version == 2 {
        let mounts = inner.writable_mounts.iter_mut();
        mounts.for_each(|mounts| mounts.retain(|mount| !mount.starts_with("/sys/fs/cgroup ")));
    }
    Case {
        template,
        identity: Identity {
            name: "saferun-x".to_owned(),
            instance: "i".to_owned(),
            uid: UID,
        },
        capabilities: Capabilities {
            version: "docker".to_owned(),
            runtimes: vec!["runc".to_owned()],
            cgroup_version: Some(cgroup_version),
            local,
            memory: Support::Enforced,
            cpu: Support::Enforced,
            pids: Support::Enforced,
        },
        inner,
        outer,
    }
}

/// As gVisor 2022-12 was seen on engine 20.10.
pub(super) fn runsc(cgroup_version: u8, local: bool) -> Case {
    let mut case = runc(cgroup_version, local);
    case.template.runtime = "runsc".to_owned();
    let own = "/ tmpfs rw,noexec,rw,size=33554432,mode=0700,uid=870003,gid=870003";
    let mounts = ["/out", "/workspace", "/tmp", "/home/sandbox"];
    let mut mounts: Vec<String> = mounts
        .iter()
        .map(|point| own.replacen('/', point, 1))
        .collect();
    mounts.push("/dev tmpfs rw,rw,mode=0755".to_owned());
    mounts.push("/dev/shm tmpfs rw,noexec,rw,mode=1777,size=16777216".to_owned());
    case.inner = Facts {
        capabilities: Some(vec!["0000000000000000".to_owned(); 4]),
        kernel: Some("gvisor".to_owned()),
        covered: Some(true),
        no_new_privs: None,
        seccomp: Some(0),
        writable_mounts: Some(mounts),
        memory_limit: None,
        swap_limit: None,
        cpu_millis: None,
        pids_limit: None,
        ..case.inner
    };
    for (name, value) in &mut case.outer.declared {
        match *name {
            "runtime" => "runsc".clone_into(value),
            "user" => "0:0".clone_into(value),
            "capabilities_added" => "SETGID SETPCAP SETUID SYS_ADMIN".clone_into(value),
            _ => {}
        }
    }
    if local {
        let status = "Uid:\t65534\t65534\t65534\t65534\nCapEff:\t0000000000240000\n\
            NoNewPrivs:\t1\nSeccomp:\t2\n";
        case.outer.proc_status = Some(status.to_owned());
        case.outer.pids_limit = Some(crate::engine::host_tasks(&case.template));
    }
    case
}

/// Who runs the engine, as far as it makes a difference to what is seen.
#[derive(Debug, Clone, Copy)]
enum Engine {
    Docker,
    /// Its account is put into Docker's words before anything is held against the table.
    Podman,
    /// Docker or Podman of an ordinary user: the host sees the sandboxes' users moved.
    OfAUser,
}

impl Engine {
    /// What is different in the eyes of the witnesses.
    fn seen(self, case: &mut Case) {
        match self {
            Self::Docker => {}
            Self::Podman => {
                "podman 4.3.1".clone_into(&mut case.capabilities.version);
                for mount in case.inner.writable_mounts.iter_mut().flatten() {
                    *mount = mount.replace("nr_inodes=8192,", "");
                    *mount = mount.replace(",uid=870003,gid=870003", "");
                }
            }
            Self::OfAUser => {
                let map = "0 1000 1\n1 100000 1000000\n";
                case.outer.uid_map = Some(map.to_owned());
                let status = case.outer.proc_status.take();
                case.outer.proc_status = status.map(|status| status.replace("870003", "970002"));
            }
        }
    }

    /// Whether a container of this kind is attested at all, as none of another.
    fn stands_alone(self, runtime: &str, cgroup_version: u8, local: bool) -> bool {
        match self {
            Self::Docker => true,
            // It is not asked for another runtime, and reads the seccomp profile on its own machine.
            Self::Podman => runtime != "runsc" && local,
            // Version 1 holds no limit for it, and elsewhere it is seen as any other.
            Self::OfAUser => cgroup_version != 1 && local,
        }
    }
}

/// Makes a case in which all is as it must be.
pub(super) type Make = Box<dyn Fn() -> Case>;

/// Every kind of engine, with each runtime and each version of cgroups.
pub(super) fn kinds() -> Vec<(String, Make)> {
    let mut all: Vec<(String, Make)> = Vec::new();
    for runtime in ["runc", "runsc"] {
        for version in [1, 2] {
            for engine in [Engine::Docker, Engine::Podman, Engine::OfAUser] {
                for local in [true, false] {
                    if !engine.stands_alone(runtime, version, local) {
                        continue;
                    }
                    let place = if local { "local" } else { "remote" };
                    let make = move || {
                        let mut case = match runtime {
                            "runsc" => runsc(version, local),
                            _ => runc(version, local),
                        };
                        engine.seen(&mut case);
                        case
                    };
                    let name = format!("{runtime}, v{version}, {engine:?}, {place}");
                    all.push((name, Box::new(make)));
                }
            }
        }
    }
    all
}
