//! Which paths somebody only opens to find a secret. Pure.

use std::path::Path;

/// Below HOME.
const HOME: [&str; 14] = [
    ".ssh",
    ".aws",
    ".azure",
    ".gnupg",
    ".kube",
    ".docker",
    ".config/gh",
    ".config/gcloud",
    ".netrc",
    ".git-credentials",
    ".pypirc",
    ".npmrc",
    ".bash_history",
    ".mozilla",
];
/// Anywhere, by the last name.
const NAMES: [&str; 8] = [
    ".env",
    "id_rsa",
    "id_ed25519",
    "shadow",
    "gshadow",
    ".netrc",
    ".git-credentials",
    "credentials.json",
];

/// Whether an absolute path leads to a secret, real or decoy.
pub(super) fn is_secret(path: &str, home: Option<&Path>) -> bool {
    let path = Path::new(path);
    let below = home.and_then(|home| path.strip_prefix(home).ok());
    if below.is_some_and(|below| HOME.iter().any(|secret| below.starts_with(secret))) {
        return true;
    }
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        NAMES.contains(&name) || matches!(name.rsplit_once('.'), Some((_, "pem")))
    }) && !path.starts_with("/usr")
        && !path.starts_with("/etc/ssl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_places_and_names() {
        let home = Some(Path::new("/home/sandbox"));
        for path in [
            "/home/sandbox/.ssh",
            "/home/sandbox/.aws/x",
            "/workspace/.env",
            "/etc/shadow",
        ] {
            assert!(is_secret(path, home), "{path}");
        }
        for path in [
            "/home/sandbox/.sshx",
            "/workspace/main.py",
            "/usr/lib/cacert.pem",
            "/",
        ] {
            assert!(!is_secret(path, home), "{path}");
        }
    }
}
