//! What an image is made of, and the digest that says whether it is out of date.

use std::fmt::Write;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::overlay;
use crate::tree::Tree;
use crate::variant::Variant;

/// Packages of the image, one to a line.
pub(crate) const PACKAGES: &str = include_str!("../../python/packages.list");
/// What is taken out of them.
pub(crate) const REMOVE: &str = include_str!("../../python/remove.list");
/// Compiles the standard library.
pub(crate) const COMPILE: &str = include_str!("../../python/compile.sh");
/// Removal within a Dockerfile.
pub(crate) const STRIP: &str = include_str!("../../python/strip.sh");
/// The build over a pullable base.
pub(crate) const DOCKERFILE: &str = include_str!("../../python/Dockerfile");
/// The module that holds the interpreter.
pub(crate) const HOLD: &str = include_str!("../../supervisor/hold/usercustomize.py");

/// Raised when the code of this crate changes what comes out for the same inputs.
const RECIPE: u32 = 4;

/// Everything that decides what is in the image, apart from the versions in the package archive.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub(crate) init: Vec<u8>,
    pub(crate) sources: Option<Vec<PathBuf>>,
    pub(crate) variant: Variant,
    pub(crate) cache: Option<PathBuf>,
}

impl Inputs {
    /// Inputs of the image `python`, with the bytes of a static `saferun-init`.
    #[must_use]
    pub fn new(init: Vec<u8>) -> Self {
        Self {
            init,
            sources: None,
            variant: Variant::python(),
            cache: None,
        }
    }

    /// Uses these apt source files instead of the host's. Not part of the digest.
    #[must_use]
    pub fn with_sources(mut self, sources: Vec<PathBuf>) -> Self {
        self.sources = Some(sources);
        self
    }

    /// Builds this variant.
    #[must_use]
    pub fn with_variant(mut self, variant: Variant) -> Self {
        self.variant = variant;
        self
    }

    /// Keeps fetched wheels in this folder. Not part of the digest: what pip takes from it has the
    /// same hashes.
    #[must_use]
    pub fn with_wheel_cache(mut self, folder: PathBuf) -> Self {
        self.cache = Some(folder);
        self
    }

    /// The files that the image has besides those of packages.
    pub(crate) fn overlay(&self) -> Tree {
        overlay::overlay(self)
    }
}

/// Debian packages that wheels are linked against and do not bring (PEP 600: libstdc++ and zlib are
/// the host's business).
pub(crate) const FOR_WHEELS: [&str; 2] = ["libstdc++6", "zlib1g"];

/// Names of the packages, without comments.
pub(crate) fn packages() -> impl Iterator<Item = &'static str> {
    PACKAGES
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// SHA-256 over all inputs, in hexadecimal. Two images with the same digest differ at most in the
/// versions of their packages. The value of the label [`crate::LABEL_DIGEST`].
#[must_use]
pub fn digest(inputs: &Inputs) -> String {
    let mut hash = Sha256::new();
    let mut part = |name: &str, bytes: &[u8]| {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part("recipe", &RECIPE.to_le_bytes());
    part("variant", inputs.variant.name.as_bytes());
    part("lock", inputs.variant.lock.as_bytes());
    part("slim", &[u8::from(inputs.variant.slim)]);
    part("packages", PACKAGES.as_bytes());
    part("remove", REMOVE.as_bytes());
    part("compile", COMPILE.as_bytes());
    for (path, node) in inputs.overlay().iter() {
        part(&path.display().to_string(), node.fingerprint().as_bytes());
        part("bytes", node.inline_bytes());
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_follows_its_inputs() {
        let first = digest(&Inputs::new(b"one".to_vec()));
        assert_eq!(first.len(), 64);
        assert_eq!(first, digest(&Inputs::new(b"one".to_vec())));
        assert_ne!(first, digest(&Inputs::new(b"two".to_vec())));
        let elsewhere = Inputs::new(b"one".to_vec()).with_sources(vec!["/x".into()]);
        assert_eq!(first, digest(&elsewhere));
    }

    #[test]
    fn packages_have_no_comments_and_no_package_manager() {
        let all: Vec<_> = packages().collect();
        assert!(all.contains(&"python3"));
        assert!(
            all.iter()
                .all(|name| !name.contains(['#', ' ', ',']) && !name.contains("apt"))
        );
    }
}
