//! The policy of the user of a test's daemon.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

/// What the user of a test's daemon says: tests are scripts, and choose policies as a person at a terminal does.
pub(crate) const FOR_SCRIPTS: &str = "version: 1\noverride: {unattended: true}\n";

/// Puts a user's policy in place as an editor saves: by a rename. `owner`: whose it and its folder are, if not this
/// process's.
///
/// # Panics
/// If the folder does not take it.
pub fn have_policy(config: &Path, policy: &str, owner: Option<u32>) {
    let new = config.join("new");
    fs::create_dir_all(config).expect("a folder");
    fs::write(&new, policy).expect("a policy");
    for (path, mode) in [(config, 0o700), (&new, 0o600)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
        std::os::unix::fs::chown(path, owner, owner).expect("its owner");
    }
    fs::rename(new, config.join("policy.yaml")).expect("in place");
}
