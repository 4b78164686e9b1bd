//! Builds the root file system of an image from the command line:
//! `cargo run -p saferun-image --example rootfs -- PATH/TO/saferun-init FOLDER [python-data]`.
//! Prints the tar's path, then one line for each `docker import --change`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks to a person"
)]

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use saferun_image::{ImageConfig, Inputs, VARIANT_PYTHON_DATA, Variant, build_rootfs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (init, folder, variant) = match args.as_slice() {
        [init, folder] => (init, folder, Variant::python()),
        [init, folder, name] if name.as_os_str() == VARIANT_PYTHON_DATA => {
            (init, folder, Variant::python_data())
        }
        _ => return Err("usage: rootfs INIT FOLDER [python-data]".into()),
    };
    let inputs = Inputs::new(std::fs::read(init)?).with_variant(variant);
    let mut say = |progress| eprintln!("{progress:?}");
    let tar = build_rootfs(&inputs, folder, &mut say, &AtomicBool::new(false))?;
    println!("{}", tar.display());
    for change in ImageConfig::new(&inputs, "2026-01-01T00:00:00Z").changes() {
        println!("{change}");
    }
    Ok(())
}
