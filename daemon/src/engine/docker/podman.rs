//! Where Podman's Docker-compatible API differs, as seen with 4.3.1 of Debian: from our request to what it takes,
//! and from its account to Docker's words. What holds is the kernel's word either way, by both witnesses.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use bollard::models::{ContainerCreateBody, ContainerInspectResponse, ResourcesUlimits};

use super::{paths, seccomp};

/// Processes for each user id. Podman asks for 1048576 by itself, which a host may refuse; a sandbox's uid is its
/// own, and its limit on tasks is far below.
const PROCESSES: i64 = 4096;
/// Folders that Podman makes writable on a read-only root unless something else stands there.
const MADE_WRITABLE: [&str; 2] = ["/run", "/var/tmp"];
/// Nothing can be put there.
const SEALED: &str = "ro,nosuid,nodev,noexec,size=4096,mode=0755";

/// What an engine that is Podman needs of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Podman {
    /// The file with the seccomp profile: Podman takes a path where Docker takes the text.
    profile: PathBuf,
}

impl Podman {
    /// Writes the profile, if it does not stand there.
    pub(super) fn prepare(profile: &Path) -> io::Result<Self> {
        let podman = Self {
            profile: profile.to_owned(),
        };
        if !podman.profile_stands() {
            let fresh = profile.with_extension(format!("{}.new", std::process::id()));
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&fresh)?;
            file.write_all(seccomp::profile().as_bytes())?;
            fs::rename(&fresh, profile)?;
        }
        Ok(podman)
    }

    fn profile_stands(&self) -> bool {
        fs::read(&self.profile).is_ok_and(|text| text == seccomp::profile().as_bytes())
    }

    /// The request as Podman takes it.
    pub(super) fn adapt(&self, body: &mut ContainerCreateBody) {
        let Some(host) = body.host_config.as_mut() else {
            return;
        };
        // The service has one runtime, whatever is asked for.
        host.runtime = None;
        for options in host.tmpfs.iter_mut().flat_map(|mounts| mounts.values_mut()) {
            // It knows no owner and no number of inodes: `U` gives the folder to the container's user, and the pages
            // of inodes count against the memory limit.
            let kept = options.split(',').filter(|option| {
                let name = option.split('=').next().unwrap_or_default();
                !["nr_inodes", "uid", "gid"].contains(&name)
            });
            *options = kept.chain(["U"]).collect::<Vec<_>>().join(",");
        }
        let mounts = host.tmpfs.get_or_insert_default();
        for folder in MADE_WRITABLE {
            mounts.insert(folder.to_owned(), SEALED.to_owned());
        }
        host.ulimits.get_or_insert_default().push(ResourcesUlimits {
            name: Some("nproc".to_owned()),
            soft: Some(PROCESSES),
            hard: Some(PROCESSES),
        });
        host.security_opt = Some(vec![
            "no-new-privileges:true".to_owned(),
            format!("seccomp={}", self.profile.display()),
            // It does not read `MaskedPaths`.
            format!("mask={}", paths::MASKED.join(":")),
        ]);
    }

    /// Its account of a container, in the words that Docker has for the same.
    pub(super) fn translate(
        &self,
        inspected: &ContainerInspectResponse,
        declared: &mut Vec<(&'static str, String)>,
    ) {
        let options = inspected
            .host_config
            .as_ref()
            .and_then(|host| host.security_opt.as_deref())
            .unwrap_or_default();
        let ours = format!("seccomp={}", self.profile.display());
        let profile = options.contains(&ours) && self.profile_stands();
        for (name, value) in declared {
            let known = match (*name, value.as_str()) {
                ("seccomp_profile", _) => Some(if profile { "saferun" } else { "foreign" }),
                // `shareable`: a namespace of its own, which root could have another container join.
                ("ipc_mode", "shareable") => Some("private"),
                ("pid_mode", "private") => Some(""),
                // Its name for whichever it was started with; which kernel that is, the supervisor sees.
                ("runtime", "oci") => Some("runc"),
                _ => None,
            };
            if let Some(known) = known {
                known.clone_into(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::HostConfig;

    use super::*;

    fn podman(folder: &Path) -> Podman {
        Podman::prepare(&folder.join("seccomp.json")).unwrap()
    }

    #[test]
    fn the_request_keeps_every_limit_in_the_words_that_podman_has() {
        let folder = tempfile::tempdir().unwrap();
        let podman = podman(folder.path());
        let tmp = "rw,nosuid,nodev,noexec,size=4096,nr_inodes=64,mode=0700,uid=7,gid=7";
        let mut body = ContainerCreateBody {
            host_config: Some(HostConfig {
                runtime: Some("runc".to_owned()),
                tmpfs: Some([("/tmp".to_owned(), tmp.to_owned())].into()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        podman.adapt(&mut body);
        let host = body.host_config.unwrap();
        let tmpfs = host.tmpfs.unwrap();
        assert_eq!(
            tmpfs["/tmp"],
            "rw,nosuid,nodev,noexec,size=4096,mode=0700,U"
        );
        assert!(tmpfs["/run"].starts_with("ro,") && tmpfs["/var/tmp"].starts_with("ro,"));
        let options = host.security_opt.unwrap();
        assert_eq!(options[0], "no-new-privileges:true");
        let profile = options[1].strip_prefix("seccomp=").unwrap();
        assert_eq!(fs::read_to_string(profile).unwrap(), seccomp::profile());
        assert!(options[2].contains("/proc/kcore:"));
    }

    #[test]
    fn a_profile_that_somebody_changed_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        let podman = podman(folder.path());
        let path = folder.path().join("seccomp.json");
        let inspected = ContainerInspectResponse {
            host_config: Some(HostConfig {
                security_opt: Some(vec![format!("seccomp={}", path.display())]),
                ..HostConfig::default()
            }),
            ..ContainerInspectResponse::default()
        };
        let seen = || {
            let mut declared = vec![
                ("seccomp_profile", "foreign".to_owned()),
                ("ipc_mode", "host".to_owned()),
                ("pid_mode", "host".to_owned()),
            ];
            podman.translate(&inspected, &mut declared);
            declared
                .into_iter()
                .map(|(_, value)| value)
                .collect::<Vec<_>>()
        };
        assert_eq!(seen(), ["saferun", "host", "host"]);
        fs::write(&path, "{}").unwrap();
        assert_eq!(seen()[0], "foreign");
        assert_eq!(
            Podman::prepare(&path).unwrap(),
            podman,
            "the next daemon writes it again"
        );
        assert_eq!(seen()[0], "saferun");
    }
}
