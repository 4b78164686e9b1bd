//! Writes the Dockerfile's build context to a file:
//! `cargo run -p saferun-image --example context -- PATH/TO/saferun-init CONTEXT.tar`, then
//! `docker build --build-arg DIGEST=... - < CONTEXT.tar`. Prints the digest.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::path::PathBuf;

use saferun_image::{Inputs, digest, docker_context};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [init, target] = args.as_slice() else {
        return Err("usage: context INIT CONTEXT.tar".into());
    };
    let inputs = Inputs::new(std::fs::read(init)?);
    std::fs::write(target, docker_context(&inputs)?)?;
    println!("{}", digest(&inputs));
    Ok(())
}
