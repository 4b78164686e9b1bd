//! Looks at what the plan depends on. Changes nothing.

use std::{env, fs, io::ErrorKind, path::Path};

use nix::unistd::{Group, User, geteuid};

use super::plan::{ENGINE_SETTINGS, Facts, Packages};
use crate::doctor::{
    engine::Found,
    host::{has_systemd, on_path},
};

/// Settings of an engine longer than this are not ours to extend, in bytes.
const MOST_SETTINGS: u64 = 1 << 20;

/// What is there now. `image`: whether the image is there and current, if anybody could be asked.
pub(super) fn look(engine: &Found, image: Option<bool>) -> Facts {
    let root = geteuid().is_root();
    let user = user(root);
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let programs = ["/usr/sbin/dockerd", "/usr/bin/dockerd"];
    Facts {
        packages: packages(&release, on_path("apt-get").is_some()),
        root,
        sudo: on_path("sudo").is_some(),
        in_group: user.as_ref().is_none_or(in_group),
        systemd: has_systemd(),
        silence: engine.silence(),
        usual: engine.is_usual(),
        engine_program: on_path("dockerd").is_some()
            || programs.iter().any(|path| Path::new(path).is_file()),
        engine_pid: engine_pid(),
        start_script: Path::new("/etc/init.d/docker").is_file(),
        runsc: on_path("runsc"),
        registered: engine.has_gvisor(),
        settings: settings(Path::new(ENGINE_SETTINGS)),
        build_tools: build_tools(root),
        image,
        user: user.map(|user| user.name),
    }
}

/// Who will run scripts: behind `sudo`, who called it.
fn user(root: bool) -> Option<User> {
    if !root {
        return User::from_uid(geteuid()).ok().flatten();
    }
    let name = env::var("SUDO_USER").ok()?;
    let user = User::from_name(&name).ok().flatten()?;
    (!user.uid.is_root()).then_some(user)
}

fn in_group(user: &User) -> bool {
    let Ok(Some(group)) = Group::from_name("docker") else {
        return false;
    };
    group.gid == user.gid || group.mem.contains(&user.name)
}

/// Reads `/etc/os-release`.
fn packages(release: &str, apt: bool) -> Packages {
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let names = format!("{} {}", value("ID="), value("ID_LIKE="));
    let is = |wanted: &str| names.split_whitespace().any(|name| name == wanted);
    if apt && (is("debian") || is("ubuntu")) {
        return Packages::Apt;
    }
    let known = [
        ("fedora", "sudo dnf install moby-engine"),
        ("arch", "sudo pacman -S docker"),
        ("suse", "sudo zypper install docker"),
        ("opensuse", "sudo zypper install docker"),
        ("alpine", "sudo apk add docker"),
    ];
    let known = known.iter().find(|(name, _)| is(name));
    known.map_or(Packages::Unknown, |(_, command)| Packages::Known(command))
}

fn engine_pid() -> Option<u32> {
    let pid: u32 = fs::read_to_string("/var/run/docker.pid")
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    (name.trim() == "dockerd").then_some(pid)
}

fn settings(path: &Path) -> Result<Option<String>, String> {
    match fs::metadata(path) {
        Ok(meta) if !meta.is_file() || meta.len() > MOST_SETTINGS => {
            return Err("is no file of a usual size".to_owned());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    fs::read_to_string(path)
        .map(Some)
        .map_err(|error| format!("cannot be read ({error})"))
}

/// Programs that `image build` starts, with the packages that have them.
fn build_tools(root: bool) -> Vec<&'static str> {
    let mut tools = vec![("mmdebstrap", "mmdebstrap")];
    if !root {
        // Who is not root unpacks packages in a user namespace.
        tools.push(("newuidmap", "uidmap"));
    }
    tools.retain(|(program, _)| on_path(program).is_none());
    tools.into_iter().map(|(_, package)| package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_told_apart() {
        for (release, apt, wanted) in [
            ("NAME=\"Debian\"\nID=debian\n", true, Packages::Apt),
            (
                "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
                true,
                Packages::Apt,
            ),
            ("ID=debian\n", false, Packages::Unknown),
            (
                "ID=fedora\n",
                true,
                Packages::Known("sudo dnf install moby-engine"),
            ),
            (
                "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n",
                false,
                Packages::Known("sudo zypper install docker"),
            ),
            ("ID=nixos\n", false, Packages::Unknown),
            ("", true, Packages::Unknown),
        ] {
            assert_eq!(packages(release, apt), wanted, "{release}");
        }
    }

    #[test]
    fn settings_are_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(settings(&dir.path().join("none")), Ok(None));
        let file = dir.path().join("daemon.json");
        fs::write(&file, "{}").unwrap();
        assert_eq!(settings(&file), Ok(Some("{}".to_owned())));
        fs::write(&file, b"\xff").unwrap();
        assert!(settings(&file).is_err());
        assert!(settings(dir.path()).is_err());
    }
}
