//! Builds the root file system of the image `python` from the command line:
//! `cargo run -p saferun-image --example rootfs -- PATH/TO/saferun-init FOLDER`.
//! Prints the tar's path, then one line for each `docker import --change`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks to a person"
)]

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use saferun_image::{ImageConfig, Inputs, build_rootfs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [init, folder] = args.as_slice() else {
        return Err("usage: rootfs INIT FOLDER".into());
    };
    let inputs = Inputs::new(std::fs::read(init)?);
    let mut say = |progress| eprintln!("{progress:?}");
    let tar = build_rootfs(&inputs, folder, &mut say, &AtomicBool::new(false))?;
    println!("{}", tar.display());
    for change in ImageConfig::new(&inputs, "2026-01-01T00:00:00Z").changes() {
        println!("{change}");
    }
    Ok(())
}
