//! Which files of a project are secrets by their names, and stay at home unless they are named. Pure.

/// Folders whose whole content is secret.
const FOLDERS: [&str; 6] = [".ssh", ".aws", ".gnupg", ".kube", ".docker", ".azure"];
/// Names of files.
const NAMES: [&str; 17] = [
    ".env",
    ".envrc",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".htpasswd",
    ".pgpass",
    ".vault-token",
    "credentials",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "kubeconfig",
    "terraform.rc",
    "token.json",
];
/// Beginnings of names.
const BEGINNINGS: [&str; 6] = [
    ".env.",
    "credentials.",
    "secrets.",
    "service-account",
    "service_account",
    "client_secret",
];
/// Endings of names.
const ENDINGS: [&str; 13] = [
    ".env",
    ".pem",
    ".key",
    ".p12",
    ".pfx",
    ".jks",
    ".kdbx",
    ".keystore",
    ".ppk",
    ".tfstate",
    ".tfvars",
    ".tfvars.json",
    ".kubeconfig",
];
/// Templates of secrets, which hold none.
const TEMPLATES: [&str; 4] = [".example", ".sample", ".template", ".dist"];

/// Whether the file at this path below the project is a secret by its name.
pub(crate) fn is_secret(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let mut folders: Vec<&str> = lower.split('/').collect();
    let name = folders.pop().unwrap_or_default();
    if folders.iter().any(|folder| FOLDERS.contains(folder)) {
        return true;
    }
    if TEMPLATES.iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    // A module may well be called so.
    if matches!(name.rsplit_once('.'), Some((_, "py"))) {
        return false;
    }
    NAMES.contains(&name)
        || BEGINNINGS.iter().any(|start| name.starts_with(start))
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for secret in [
            ".env",
            "app/.env.production",
            "deploy/id_rsa",
            "tls/server.KEY",
            ".ssh/config",
            "home/.aws/anything",
            "credentials.json",
            "service-account-prod.json",
            "x/.npmrc",
            "deploy/kubeconfig",
            "prod.env",
            "infra/live.tfvars",
            "live.auto.tfvars.json",
            "token.json",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for plain in [
            "main.py",
            ".env.example",
            "keys.py",
            "secrets.py",
            "environment.yml",
            "monkey.txt",
            "ssh/readme.md",
            "pem.csv",
            "prod.env.example",
            "tokens.json",
            "token.py",
        ] {
            assert!(!is_secret(plain), "{plain}");
        }
    }
}
