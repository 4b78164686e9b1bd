//! What can be wrong under a record: a disk that is full, for it has a few megabytes only, and somebody who holds the file.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
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

/// A database that another program holds locked, until it is let go or dropped.
#[derive(Debug)]
pub struct HeldRecord(Child);

impl HeldRecord {
    /// Locks it with the host's Python; returns once it is locked.
    ///
    /// # Panics
    /// If it cannot be locked.
    #[must_use]
    pub fn at(record: &Path) -> Self {
        let lock = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\nsys.stdin.read()\n";
        let mut holder = Command::new("python3")
            .args(["-c", lock])
            .arg(record)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 on the host");
        let mut held = [0; 5];
        let mut says = holder.stdout.take().expect("a pipe");
        says.read_exact(&mut held).expect("it holds the record");
        Self(holder)
    }

    /// Ends the lock; returns once it is gone.
    ///
    /// # Panics
    /// If its holder failed.
    pub fn let_go(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("its end").success());
    }
}

impl Drop for HeldRecord {
    fn drop(&mut self) {
        // Its input ends with it, and so it does.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
