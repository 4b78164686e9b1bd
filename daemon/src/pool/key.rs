//! What makes containers interchangeable, as an ordered key with a readable form.

use crate::engine::{Folders, Template, Unheld};

/// A template that orders, so that the pool's state is deterministic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key(pub(crate) Template);

impl Key {
    /// How much more a container of this key has than `wanted` asks for, if it can be given the limits of `wanted`.
    /// Memory counts most: it is what a machine runs out of.
    pub(super) fn spare(&self, wanted: &Self) -> Option<(u64, u64, u32)> {
        let (have, want) = (&self.0, &wanted.0);
        have.covers(want).then(|| {
            (
                have.memory_bytes - want.memory_bytes,
                have.cpu_millis - want.cpu_millis,
                have.pids - want.pids,
            )
        })
    }

    fn parts(&self) -> (&str, &str, u64, u64, u32, u64, u32, Folders, Unheld) {
        let t = &self.0;
        (
            &t.runtime,
            &t.image,
            t.memory_bytes,
            t.cpu_millis,
            t.pids,
            t.tmpfs_bytes,
            t.open_files,
            t.writable,
            t.unheld,
        )
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let t = &self.0;
        let image = t.image.trim_start_matches("sha256:");
        let short = image.get(..12).unwrap_or(image);
        write!(
            f,
            "{} image={short} memory={}MiB cpus={:.2} pids={} tmpfs={}MiB files={}",
            t.runtime,
            t.memory_bytes >> 20,
            f64::from(u32::try_from(t.cpu_millis).unwrap_or(u32::MAX)) / 1000.0,
            t.pids,
            t.tmpfs_bytes >> 20,
            t.open_files,
        )?;
        let paths: Vec<&str> = t.writable.paths().collect();
        if paths.len() < t.writable.0.len() {
            write!(f, " writable={}", paths.join(","))?;
        }
        for name in t.unheld.names() {
            write!(f, " {name}=NOT-HELD")?;
        }
        Ok(())
    }
}
