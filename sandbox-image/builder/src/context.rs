//! The build context for the Dockerfile, where an engine can pull a base.

use std::io;
use std::path::Path;

use tar::Builder;

use crate::inputs::{COMPILE, DOCKERFILE, Inputs, PACKAGES, REMOVE, STRIP};
use crate::rootfs::append;
use crate::tree::Tree;

/// The context as the bytes of a tar file; `Dockerfile` is at its root. Pass the build arguments
/// `DIGEST` ([`crate::digest`]), `CREATED` (RFC 3339) and, for another base, `BASE`.
///
/// # Errors
/// Those of the tar format, as for a path that it cannot express.
pub fn docker_context(inputs: &Inputs) -> io::Result<Vec<u8>> {
    let mut tree = Tree::default();
    tree.file("Dockerfile", 0o644, DOCKERFILE);
    tree.file("packages.list", 0o644, PACKAGES);
    tree.file("remove.list", 0o644, REMOVE);
    tree.file("compile.sh", 0o644, COMPILE);
    tree.file("strip.sh", 0o644, STRIP);
    for (path, node) in inputs.overlay().iter() {
        tree.put(Path::new("overlay").join(path), node.clone());
    }
    let mut builder = Builder::new(Vec::new());
    for (path, node) in tree.iter() {
        append(&mut builder, path, node, None)?;
    }
    builder.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_has_all_that_the_dockerfile_copies() {
        let bytes = docker_context(&Inputs::new(b"init".to_vec())).expect("a tar");
        let mut archive = tar::Archive::new(bytes.as_slice());
        let paths: Vec<String> = archive
            .entries()
            .expect("a tar")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .path()
                    .expect("a path")
                    .display()
                    .to_string()
            })
            .collect();
        for wanted in [
            "Dockerfile",
            "packages.list",
            "remove.list",
            "compile.sh",
            "strip.sh",
        ] {
            assert!(paths.iter().any(|path| path == wanted), "{wanted}");
        }
        assert!(paths.iter().any(|path| path == "overlay/opt/saferun/init"));
    }
}
