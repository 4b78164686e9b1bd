//! Options of `image`.

use clap::{Args, Subcommand};

/// What to do with images.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ImageCommand {
    /// Build an image, if what it is made of has changed
    #[command(after_help = "\
Examples:
  saferunctl image build                 build the image `python`
  saferunctl image build python-data     numpy, pandas, matplotlib, requests and more
  saferunctl image build python --force  build it again, whatever stands there")]
    Build(ImageBuildArgs),
    /// Build an image of your own with these packages on top of the standard library
    ///
    /// The packages are fetched from the Python Package Index now, as wheels, pinned by hash; nothing of
    /// them runs outside a sandbox, and no run ever installs anything. Scripts that import them
    /// get the image by themselves.
    #[command(after_help = "\
Examples:
  saferunctl image add humanize                      the image `own`
  saferunctl image add polars==1.9.0 duckdb --as db  the image `db`")]
    Add(ImageAddArgs),
    /// Remove images that are out of date and that no container uses
    ///
    /// Building an image again leaves the one before it, so that runs under way and `rerun` still have it. Only
    /// images that SafeRun made itself are looked at, and none is removed by force.
    #[command(after_help = "\
Examples:
  saferunctl image prune --dry-run   say what would go
  saferunctl image prune")]
    Prune {
        /// Only say which would be removed
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the images
    #[command(after_help = "Examples:\n  saferunctl image list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

// Options of `image build`.
#[derive(Debug, Args)]
pub(crate) struct ImageBuildArgs {
    /// Which images
    #[arg(value_name = "NAME", default_value = "python")]
    pub(crate) variants: Vec<String>,
    /// Build even if it is current
    #[arg(long)]
    pub(crate) force: bool,
    /// Show what the build tools print
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

// Options of `image add`.
#[derive(Debug, Args)]
pub(crate) struct ImageAddArgs {
    /// Packages, as humanize or humanize==4.11.0
    #[arg(value_name = "PACKAGE", required = true)]
    pub(crate) packages: Vec<String>,
    /// Name of the image; one that there is gets these packages instead of its own
    #[arg(long = "as", value_name = "NAME", default_value = "own")]
    pub(crate) variant: String,
    /// Show what the build tools print
    #[arg(short, long)]
    pub(crate) verbose: bool,
}
