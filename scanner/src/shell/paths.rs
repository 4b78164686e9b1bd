//! What is at stake behind a path in shell text: the root, the home folder, keys, start-up files, devices.

use super::HOLE;

/// What a path stands for, from the most to the least at stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stake {
    /// The root of the file system or of a drive.
    Root,
    /// A home folder, or nearly all of it.
    Home,
    /// A folder or file of the system.
    System,
    /// Cannot be known; an empty value may make it the root.
    Unknown,
    /// All of the working folder or what lies above it.
    Everything,
    /// A file below the home folder.
    BelowHome,
    /// Anything else.
    Other,
}

const SYSTEM: [&str; 21] = [
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "usr",
    "var",
    "home",
    "Users",
    "System",
    "Library",
    "Applications",
];

/// Folders of a home whose loss is the loss of the home.
const PRECIOUS: [&str; 12] = [
    "documents",
    "desktop",
    "pictures",
    "downloads",
    "music",
    "videos",
    "library",
    ".ssh",
    ".gnupg",
    ".aws",
    ".config",
    ".local",
];

/// Resolves `//`, `/./`, `..` and a trailing slash by spelling alone.
pub(super) fn normalise(path: &str) -> String {
    let path = path.replace('\\', "/");
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&"~") => {
                    parts.clear();
                    parts.push("/home");
                }
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if absolute => {}
                _ => parts.push(".."),
            },
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else if joined.is_empty() {
        ".".to_owned()
    } else {
        joined
    }
}

/// What deleting or overwriting this path would cost.
pub(super) fn stake(path: &str) -> Stake {
    let lower = path.to_ascii_lowercase();
    let windows = lower.replace('\\', "/");
    if lower.len() <= 5 && lower.as_bytes().get(1) == Some(&b':') {
        return Stake::Root;
    }
    if windows.starts_with("%userprofile%") || windows.starts_with("$env:userprofile") {
        return Stake::Home;
    }
    if windows.starts_with("c:/windows") || windows.starts_with("%systemroot%") {
        return Stake::System;
    }
    if windows.starts_with("c:/users") && windows.split('/').count() <= 3 {
        return Stake::Home;
    }
    let path = normalise(path);
    match path.as_str() {
        "/" | "/*" | "/.*" | "/{*,.*}" | "/**" => return Stake::Root,
        "~" | "~/*" | "~/.*" | "~/**" | "~/.[!.]*" => return Stake::Home,
        "*" | "." | ".." | "./*" | ".*" | "**" | "../*" => return Stake::Everything,
        _ => {}
    }
    if path.chars().all(|c| matches!(c, '.' | '/')) {
        return Stake::Everything;
    }
    if let Some(rest) = path.strip_prefix('~') {
        return below_home(rest);
    }
    if let Some(rest) = path.strip_prefix('/') {
        return below_root(rest);
    }
    let bare = path.trim_end_matches(['*', '/']);
    if bare.starts_with(HOLE) && bare.chars().filter(|&c| c != HOLE && c != '/').count() == 0 {
        return Stake::Unknown;
    }
    if path.starts_with(HOLE) && (path.contains("/*") || path.ends_with('/')) {
        return Stake::Unknown;
    }
    Stake::Other
}

fn below_home(rest: &str) -> Stake {
    let parts: Vec<&str> = rest.split('/').collect();
    if parts.len() <= 1 {
        // `~name`, another user's home
        return Stake::Home;
    }
    let first = parts[1].to_ascii_lowercase();
    let alone = parts.len() == 2 || (parts.len() == 3 && matches!(parts[2], "*" | "**"));
    if alone && (PRECIOUS.contains(&first.as_str()) || first == HOLE.to_string()) {
        return Stake::Home;
    }
    Stake::BelowHome
}

fn below_root(rest: &str) -> Stake {
    let parts: Vec<&str> = rest
        .split('/')
        .filter(|part| !matches!(*part, "*" | "**"))
        .collect();
    let first = parts.first().copied().unwrap_or_default();
    if first.is_empty() {
        return Stake::Root;
    }
    if first == "tmp" || rest.starts_with("var/tmp") || rest.starts_with("dev/shm") {
        return Stake::Other;
    }
    if matches!(first, "home" | "Users" | "root") {
        let inner = if first == "root" { 1 } else { 2 };
        if parts.len() <= inner {
            return Stake::Home;
        }
        let below = parts[inner].to_ascii_lowercase();
        let alone = parts.len() == inner + 1;
        return if alone && PRECIOUS.contains(&below.as_str()) {
            Stake::Home
        } else {
            Stake::BelowHome
        };
    }
    if SYSTEM.contains(&first) {
        return Stake::System;
    }
    if first.starts_with(HOLE) {
        return Stake::Unknown;
    }
    Stake::Other
}

/// Names of key and token stores; a path that holds one of them is a secret.
const SECRETS: [&str; 46] = [
    "/.ssh/id_",
    "/.ssh/*",
    "/.ssh/identity",
    "/.aws/credentials",
    "/.aws/config",
    "/.aws/*",
    "/.config/gcloud",
    "/.azure",
    "/.kube/config",
    "/.docker/config.json",
    "/.netrc",
    "/.pgpass",
    "/.npmrc",
    "/.pypirc",
    "/.git-credentials",
    "/.gnupg",
    "/.password-store",
    "/.vault-token",
    "/.config/gh/hosts",
    "/.cargo/credentials",
    "/.gem/credentials",
    "/.my.cnf",
    "/.env",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/.mozilla/firefox",
    "/google-chrome",
    "/chromium/default",
    "login data",
    "logins.json",
    "key4.db",
    "/keychains",
    "/keyrings",
    "/.bitcoin",
    "/.ethereum",
    "wallet.dat",
    "/.electrum",
    "/.terraform.d/credentials",
    "/.bash_history",
    "/.zsh_history",
    "/.python_history",
    "/.config/rclone",
    "/run/secrets/",
    "/serviceaccount/token",
    "/.local/share/keyrings",
];

/// Whether a path names a store of keys, passwords or tokens.
pub(super) fn is_secret(path: &str) -> bool {
    let path = normalise(path.trim_start_matches('@')).to_ascii_lowercase();
    let rooted = if path.starts_with('/') {
        path
    } else {
        format!("/{path}")
    };
    if rooted.rsplit('.').next() == Some("pub") || rooted.ends_with("/.env.example") {
        return false;
    }
    if rooted.ends_with("/environ") && rooted.contains("/proc/") {
        return true;
    }
    if rooted.ends_with("/.ssh") || rooted.ends_with("/.aws") {
        return true;
    }
    if rooted.starts_with("/dev/") && rooted.ends_with("mem") {
        return true;
    }
    SECRETS.iter().any(|name| {
        rooted.find(name).is_some_and(|at| {
            let rest = &rooted[at + name.len()..];
            // `/.env` must not match `/.envrc-notes` nor `/.environment`
            *name != "/.env" || rest.is_empty() || rest.starts_with(['.', '*'])
        })
    })
}

/// Start-up files and their like: who writes there is run again, or let in.
const STARTUP: [&str; 49] = [
    "/.bashrc",
    "/.bash_profile",
    "/.bash_login",
    "/.bash_logout",
    "/.bash_aliases",
    "/.profile",
    "/.zshrc",
    "/.zprofile",
    "/.zshenv",
    "/.zlogin",
    "/.kshrc",
    "/.config/fish/",
    "/.inputrc",
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/environment",
    "/etc/zsh",
    "/etc/cron",
    "/var/spool/cron",
    "/etc/anacrontab",
    "/etc/rc.local",
    "/etc/init.d",
    "/etc/rc",
    "/systemd/system/",
    "/systemd/user/",
    "/.config/autostart",
    "/etc/xdg/autostart",
    "/launchagents",
    "/launchdaemons",
    "/authorized_keys",
    "/.ssh/config",
    "/.ssh/rc",
    "/etc/ssh/sshd_config",
    "/etc/ld.so.preload",
    "/etc/ld.so.conf",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/sudoers",
    "/etc/pam.d",
    "/.git/hooks/",
    "/.vimrc",
    "/.config/nvim/init",
    "/.xinitrc",
    "/.xprofile",
    "/.gitconfig",
    "sitecustomize.py",
    "usercustomize.py",
    "/start menu/programs/startup",
];

/// Whether writing to this path arranges to be run again, or lets somebody in.
pub(super) fn is_startup(path: &str) -> bool {
    let path = normalise(path).to_ascii_lowercase();
    let rooted = if path.starts_with('/') {
        path
    } else {
        format!("/{path}")
    };
    (rooted.contains("-packages/") && rooted.rsplit('.').next() == Some("pth"))
        || STARTUP.iter().any(|name| rooted.contains(name))
}

/// Whether a path is a block device or raw memory.
pub(super) fn is_device(path: &str) -> bool {
    let path = normalise(path);
    let Some(name) = path.strip_prefix("/dev/") else {
        return path.starts_with("//./PhysicalDrive") || path.starts_with("/PhysicalDrive");
    };
    [
        "sd", "hd", "vd", "xvd", "nvme", "mmcblk", "disk", "rdisk", "mapper/", "dm-", "md", "loop",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
        || matches!(name, "mem" | "kmem" | "port")
        || name.starts_with(HOLE)
        || name.starts_with("root")
}

/// Whether a path is a shell history or a log.
pub(super) fn is_trace(path: &str) -> bool {
    let path = normalise(path).to_ascii_lowercase();
    path.ends_with("_history") || path.starts_with("/var/log") || path.contains(".histfile")
}
