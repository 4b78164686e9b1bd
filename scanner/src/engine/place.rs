//! Where a path lies: the folders of the system, of the user and of the project. Knows nothing of what is done there.

use super::Engine;
use super::value::{HOLE, Value};
use crate::rules::paths;

impl Engine {
    /// Where each of the texts that a path may be lies.
    pub(crate) fn places(path: &Value) -> Vec<Place> {
        Self::path_texts(path)
            .iter()
            .map(|text| place_of(&paths::normalise(text)))
            .collect()
    }
}

/// A file of a program in the folders for settings and state.
pub(crate) fn own_settings(normal: &str) -> bool {
    ["~/.config/", "~/.local/share/", "~/.local/state/"]
        .iter()
        .any(|folder| {
            normal
                .strip_prefix(folder)
                .is_some_and(|rest| !rest.starts_with('*') && !rest.is_empty())
        })
}

/// Where a normalised path lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Root,
    Home,
    /// A folder in which people keep their own work.
    UserFolder,
    InHome,
    SystemFolder,
    InSystem,
    Temp,
    /// The working folder itself, or its history.
    Project,
    Relative,
    Unknown,
}

pub(crate) fn place_of(path: &str) -> Place {
    const SYSTEM: &[&str] = &[
        "bin",
        "boot",
        "dev",
        "etc",
        "lib",
        "lib32",
        "lib64",
        "opt",
        "proc",
        "run",
        "sbin",
        "srv",
        "sys",
        "usr",
        "var",
        "home",
        "system",
        "library",
        "applications",
        "mnt",
        "media",
        "users",
    ];
    const OWN: &[&str] = &[
        "documents",
        "desktop",
        "downloads",
        "pictures",
        "music",
        "videos",
        "movies",
        "projects",
        "onedrive",
        "dropbox",
        "library",
        ".ssh",
        ".gnupg",
        ".aws",
        ".config",
        ".local",
        ".kube",
    ];
    let lower = path.to_ascii_lowercase();
    if matches!(
        lower.as_str(),
        "/" | "/*" | "/**" | "/**/*" | "c:" | "c:/" | "c:/*"
    ) {
        return Place::Root;
    }
    if matches!(
        lower.as_str(),
        "~" | "~/*" | "~/**" | "~/**/*" | "~/.*" | "~/*.*" | "/home" | "/users"
    ) {
        return Place::Home;
    }
    if let Some(rest) = lower.strip_prefix("~/") {
        let first = rest.split('/').next().unwrap_or("");
        if rest.starts_with("appdata/local/temp") || first == ".cache" {
            return Place::Temp;
        }
        if OWN.contains(&first) || first.starts_with("**") {
            return Place::UserFolder;
        }
        return Place::InHome;
    }
    if lower.starts_with("/tmp")
        || lower.starts_with("/var/tmp")
        || lower.starts_with("/dev/shm")
        || lower.starts_with("/var/folders")
        || lower == "/dev/null"
    {
        return Place::Temp;
    }
    let absolute = lower
        .strip_prefix('/')
        .or_else(|| lower.strip_prefix("c:/"));
    if let Some(rest) = absolute {
        let mut parts = rest.split('/');
        let first = parts.next().unwrap_or("");
        if SYSTEM.contains(&first) || matches!(first, "windows" | "program files") {
            return match parts.next() {
                None | Some("*" | "**") => Place::SystemFolder,
                Some(_) => Place::InSystem,
            };
        }
        return Place::Unknown;
    }
    if lower.starts_with(HOLE) || lower.starts_with('*') || lower.is_empty() {
        return Place::Unknown;
    }
    if matches!(lower.as_str(), "." | ".." | ".git" | "src") || lower.starts_with("../") {
        return Place::Project;
    }
    Place::Relative
}
