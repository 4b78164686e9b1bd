//! Images: what there is, and how a build goes.

use serde::{Deserialize, Serialize};

/// An image that the daemon knows of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageInfo {
    /// Variant, as `python`.
    pub variant: String,
    /// Engine's id; absent if it was never built.
    pub id: Option<String>,
    /// Size in bytes.
    pub size_bytes: Option<u64>,
    /// When it was built, RFC 3339.
    pub created: Option<String>,
    /// Digest of the inputs it was built from.
    pub digest: Option<String>,
    /// Whether that digest is what this daemon would build from now.
    pub current: bool,
}

impl ImageInfo {
    /// An image that was not built yet.
    #[must_use]
    pub fn missing(variant: impl Into<String>) -> Self {
        Self {
            variant: variant.into(),
            id: None,
            size_bytes: None,
            created: None,
            digest: None,
            current: false,
        }
    }
}

/// What `saferun.imagePrune` removed, or would remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagePrune {
    /// Images out of date that are gone now, or would go.
    pub removed: Vec<ImageInfo>,
    /// Images out of date that stay.
    pub kept: Vec<KeptImage>,
}

/// An image that could not be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptImage {
    /// The image.
    pub image: ImageInfo,
    /// What the engine says, as that a container still uses it.
    pub reason: String,
}

/// An item of a `saferun.subscribeImageBuild` subscription; `built` or `failed` is the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImageEvent {
    /// A step began.
    Step {
        /// What is done now, for a person.
        message: String,
        /// Number of this step, from 1.
        step: u32,
        /// Number of steps.
        steps: u32,
    },
    /// A line of the tool that does the step.
    Log {
        /// The line, control characters removed.
        line: String,
    },
    /// There is nothing to do or it is done.
    Built {
        /// The image.
        image: ImageInfo,
        /// Whether it stood already.
        unchanged: bool,
    },
    /// It failed.
    Failed {
        /// Why, and what to do next.
        message: String,
    },
}
