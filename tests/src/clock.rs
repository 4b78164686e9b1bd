//! A daemon's clocks, which a test moves: an hour passes for the daemon at once. Programs in containers, the engine and
//! the test itself stay under the kernel's own.

use std::{fs, path::Path, path::PathBuf, time::Duration};

use tempfile::TempDir;

use crate::skipped;

const LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
];

/// Which clocks of a daemon are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// The one that people set.
    Wall,
    /// All of them: its time limits and windows pass as well.
    All,
}

/// The clocks of one daemon. They are of use for as long as this lives.
#[derive(Debug)]
pub struct Clock {
    library: &'static str,
    hands: Hands,
    file: PathBuf,
    ahead: Duration,
    _folder: TempDir,
}

impl Clock {
    /// Clocks that show the true time yet; says why not where libfaketime is not installed.
    ///
    /// # Panics
    /// If there is no place for its file.
    #[must_use]
    pub fn new(hands: Hands) -> Option<Self> {
        let Some(library) = LIBRARIES.iter().find(|path| Path::new(path).exists()) else {
            skipped("libfaketime is not installed");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Self {
            library,
            hands,
            file: folder.path().join("clock"),
            ahead: Duration::ZERO,
            _folder: folder,
        };
        clock.set("+0");
        Some(clock)
    }

    /// The settings under which a daemon goes by these clocks.
    ///
    /// # Panics
    /// If the name of its file is no text.
    #[must_use]
    pub fn environment(&self) -> Vec<(&str, &str)> {
        let file = self.file.to_str().expect("a name of text");
        let mut settings = vec![
            ("LD_PRELOAD", self.library),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1"),
        ];
        if self.hands == Hands::Wall {
            settings.push(("FAKETIME_DONT_FAKE_MONOTONIC", "1"));
        }
        settings
    }

    /// Puts them this far from the true time, in libfaketime's spelling: `+9d`.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn set(&self, offset: &str) {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{offset}\n")).expect("the clock's file");
        fs::rename(new, &self.file).expect("in place");
    }

    /// Lets this much time pass for the daemon.
    pub fn forward(&mut self, time: Duration) {
        self.ahead += time;
        self.set(&format!("+{:.3}", self.ahead.as_secs_f64()));
    }
}
