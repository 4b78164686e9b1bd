//! Why an image could not be built.

use std::io;
use std::path::PathBuf;

/// A failed build. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The program that unpacks packages is not there.
    #[error("mmdebstrap is not installed; install it with: apt-get install mmdebstrap")]
    NoMmdebstrap,
    /// No file with package sources was found.
    #[error(
        "no apt sources found under /etc/apt; name a sources file, or build from the Dockerfile"
    )]
    NoSources,
    /// mmdebstrap failed.
    #[error("mmdebstrap failed ({status}); its last lines:\n{tail}")]
    Mmdebstrap {
        /// Its exit status, in words.
        status: String,
        /// The end of what it said.
        tail: String,
    },
    /// No pip in reach, which fetches wheels.
    #[error(
        "python3 with pip is needed to fetch packages; install it with: apt-get install python3-pip"
    )]
    NoPip,
    /// pip failed.
    #[error("pip failed ({status}); its last lines:\n{tail}")]
    Pip {
        /// Its exit status, in words.
        status: String,
        /// The end of what it said.
        tail: String,
    },
    /// The caller's cancel flag was set.
    #[error("the image build was cancelled")]
    Cancelled,
    /// The finished root file system holds what it must not, or lacks what it must have.
    #[error("the root file system is not fit for a sandbox: {}", problems.join("; "))]
    Audit {
        /// One sentence each.
        problems: Vec<String>,
    },
    /// A file could not be read or written.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// The act, as "cannot read".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl BuildError {
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
