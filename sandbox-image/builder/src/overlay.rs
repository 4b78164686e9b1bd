//! The files that are ours, laid over those of the packages.

use crate::accounts;
use crate::decoys::decoys;
use crate::inputs::{HOLD, Inputs};
use crate::tree::Tree;

/// Everything in the image that no package brings.
pub(crate) fn overlay(inputs: &Inputs) -> Tree {
    let mut tree = Tree::default();
    tree.file("opt/saferun/init", 0o755, inputs.init.clone());
    tree.file("opt/saferun/hold/usercustomize.py", 0o644, HOLD);
    if !inputs.variant.preimport.is_empty() {
        let list = inputs.variant.preimport.join("\n");
        tree.file("opt/saferun/hold/preimport", 0o644, list);
    }
    for (path, contents) in decoys() {
        // Readable for every uid of the range; the supervisor's copies belong to one only.
        tree.file(&format!("opt/saferun/home/{path}"), 0o644, contents);
    }
    tree.file("etc/passwd", 0o644, accounts::passwd());
    tree.file("etc/group", 0o644, accounts::group());
    tree.file(
        "etc/nsswitch.conf",
        0o644,
        "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
    );
    tree.file("etc/hosts", 0o644, "127.0.0.1 localhost\n::1 localhost\n");
    tree.file("etc/hostname", 0o644, "sandbox\n");
    tree.file("etc/resolv.conf", 0o644, "");
    tree.file("etc/timezone", 0o644, "Etc/UTC\n");
    tree.link("etc/localtime", "/usr/share/zoneinfo/Etc/UTC");
    // What Debian's alternatives would link, were there a package manager.
    tree.link("usr/bin/awk", "mawk");
    tree.link("usr/bin/which", "which.debianutils");
    for mount_point in [
        "dev",
        "home/sandbox",
        "out",
        "proc",
        "run",
        "sys",
        "workspace",
    ] {
        tree.folder(mount_point, 0o755);
    }
    tree.folder("tmp", 0o1777);
    tree.folder("var/tmp", 0o1777);
    tree.folder("root", 0o700);
    tree.complete_folders();
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn ours_is_complete() {
        let tree = overlay(&Inputs::new(b"init".to_vec()));
        for path in [
            "opt/saferun/init",
            "opt/saferun/home/.ssh/id_rsa",
            "workspace",
            "home",
        ] {
            assert!(tree.get(Path::new(path)).is_some(), "{path}");
        }
    }
}
