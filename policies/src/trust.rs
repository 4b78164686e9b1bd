//! How far a policy file on disk may be trusted, from facts that the caller reads with `lstat` on the opened file.

use serde::{Deserialize, Serialize};

use crate::layer::Source;
use crate::origin::LayerKind;

/// What the caller saw of a policy file. Take it from the open file (`fstat`), and `symlink` from `lstat` before,
/// so that nobody can swap the file between the look and the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Whether the last part of the path is a symbolic link.
    pub symlink: bool,
    /// Whether it is a regular file.
    pub regular: bool,
    /// Uid of its owner.
    pub owner: u32,
    /// Permission bits.
    pub mode: u32,
}

/// Why a file is not taken as what it claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distrust {
    /// A link could point into a folder that others write.
    #[error("it is a symbolic link: copy the file to its place")]
    Symlink,
    /// A pipe or a device would block or never end.
    #[error("it is not a regular file")]
    NotAFile,
    /// Someone else can change it at any time.
    #[error("it belongs to another user: take it over with `chown`")]
    Owner,
    /// Others can change it.
    #[error("its group or others may write it: `chmod go-w` it")]
    Writable,
}

/// What to do with a policy file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Take it as it is.
    Full,
    /// Take it as a layer that only tightens, and say why.
    TightenOnly(Distrust),
    /// Do not take it. For user and system layers the daemon keeps the policy that it had.
    Refuse(Distrust),
}

/// Judges a file of a layer for the user with this uid.
///
/// System files belong to root, a user's file to the user or root, and nobody else may write them. A project's file
/// comes with code of unknown origin, so that its owner says nothing; it only tightens in any case.
#[must_use]
pub const fn trust(layer: LayerKind, facts: &FileFacts, uid: u32) -> Trust {
    if facts.symlink {
        return Trust::Refuse(Distrust::Symlink);
    }
    if !facts.regular {
        return Trust::Refuse(Distrust::NotAFile);
    }
    let owned = match layer {
        LayerKind::System => facts.owner == 0,
        _ => facts.owner == uid || facts.owner == 0,
    };
    let open = facts.mode & 0o022 != 0;
    match (layer, owned, open) {
        (LayerKind::Project, false, _) => Trust::TightenOnly(Distrust::Owner),
        (LayerKind::Project, _, true) => Trust::TightenOnly(Distrust::Writable),
        (_, false, _) => Trust::Refuse(Distrust::Owner),
        (_, _, true) => Trust::Refuse(Distrust::Writable),
        _ => Trust::Full,
    }
}

impl Source {
    /// A policy file as far as it is trusted.
    ///
    /// # Errors
    /// Why the file is not to be taken.
    pub fn trusted(
        layer: LayerKind,
        name: impl Into<String>,
        text: impl Into<String>,
        trust: Trust,
    ) -> Result<Self, Distrust> {
        let source = Self::yaml(layer, name, text);
        match trust {
            Trust::Full => Ok(source),
            Trust::TightenOnly(_) => Ok(source.tightening()),
            Trust::Refuse(why) => Err(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Reach;

    #[test]
    fn only_a_file_that_nobody_else_can_change_is_trusted() {
        use LayerKind::{Project, System, User};
        let file = |owner, mode| FileFacts {
            symlink: false,
            regular: true,
            owner,
            mode,
        };
        let link = FileFacts {
            symlink: true,
            ..file(1000, 0o600)
        };
        let pipe = FileFacts {
            regular: false,
            ..file(1000, 0o600)
        };
        for (layer, facts, expected) in [
            (User, file(1000, 0o600), Trust::Full),
            (User, file(1000, 0o644), Trust::Full),
            (User, file(0, 0o644), Trust::Full),
            (User, file(1001, 0o600), Trust::Refuse(Distrust::Owner)),
            (User, file(1000, 0o664), Trust::Refuse(Distrust::Writable)),
            (User, file(1000, 0o602), Trust::Refuse(Distrust::Writable)),
            (User, link, Trust::Refuse(Distrust::Symlink)),
            (User, pipe, Trust::Refuse(Distrust::NotAFile)),
            (System, file(0, 0o644), Trust::Full),
            (System, file(1000, 0o600), Trust::Refuse(Distrust::Owner)),
            (Project, file(1000, 0o644), Trust::Full),
            (
                Project,
                file(1001, 0o644),
                Trust::TightenOnly(Distrust::Owner),
            ),
            (
                Project,
                file(1000, 0o666),
                Trust::TightenOnly(Distrust::Writable),
            ),
            (Project, link, Trust::Refuse(Distrust::Symlink)),
        ] {
            assert_eq!(trust(layer, &facts, 1000), expected, "{layer} {facts:?}");
        }
        let source = |trust| Source::trusted(Project, "p", "version: 1", trust);
        assert_eq!(source(Trust::Full).unwrap().reach, Reach::Tightens);
        assert!(source(Trust::Refuse(Distrust::Owner)).is_err());
    }
}
