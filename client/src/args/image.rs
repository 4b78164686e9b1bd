//! Options of `image`.

use clap::{Args, Subcommand};

/// What to do with images.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Build an image, if what it is made of has changed
    #[command(after_help = "\
Examples:
  saferunctl image build                 build the image `python`
  saferunctl image build python --force  build it again, whatever stands there")]
    Build(ImageBuildArgs),
    /// List the images
    #[command(after_help = "Examples:\n  saferunctl image list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Options of `image build`.
#[derive(Debug, Args)]
pub(crate) struct ImageBuildArgs {
    /// Which image
    #[arg(default_value = "python")]
    pub(crate) variant: String,
    /// Build even if it is current
    #[arg(long)]
    pub(crate) force: bool,
    /// Show what the build tools print
    #[arg(short, long)]
    pub(crate) verbose: bool,
}
