//! The policy of the user of a test's daemon.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

/// What the user of a test's daemon says: tests are scripts, and choose policies as a person at a terminal does.
pub(crate) const FOR_SCRIPTS: &str = "version: 1\noverride: {unattended: true}\n";

/// Puts the user's policy in place.
pub(crate) fn have_policy(config: &Path, policy: &str, user: Option<u32>) {
    let file = config.join("policy.yaml");
    fs::create_dir(config).expect("a folder");
    fs::write(&file, policy).expect("a policy");
    for (path, mode) in [(config, 0o700), (&file, 0o600)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
        std::os::unix::fs::chown(path, user, user).expect("its owner");
    }
}
