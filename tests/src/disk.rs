//! A file system of a few megabytes, so that a full disk is one.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::skipped;

/// A small file system, gone when dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of so many megabytes at a folder that it makes; `None`, and said aloud, without the right to mount.
    ///
    /// # Panics
    /// If the folder cannot be made.
    #[must_use]
    pub fn at(folder: &Path, megabytes: u32) -> Option<Self> {
        fs::create_dir(folder).expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={megabytes}m,mode=0700"))
            .arg("none")
            .arg(folder)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder.to_owned()));
        }
        skipped("a full disk needs the right to mount a small one");
        None
    }

    /// Fills it to the last block. Removing the file that is named makes room again.
    ///
    /// # Panics
    /// If no file can be made on it.
    #[must_use]
    pub fn fill(&self) -> PathBuf {
        let filler = self.0.join("filler");
        let mut file = fs::File::create(&filler).expect("a file");
        let block = vec![0; 4096];
        while file.write_all(&block).is_ok() {}
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}
