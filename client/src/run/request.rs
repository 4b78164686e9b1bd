//! The request for a run, from the command line. Checks its size before it is sent, because the
//! daemon would end the whole connection over one that is too large.

use std::{io::IsTerminal, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{
    ClientKind, InputFile, MAX_REQUEST_BYTES, PolicyLayers, RunRequest, StdinMode,
};

use super::{
    input::Input,
    source::{Source, too_large},
    workspace::{Original, Sent},
};
use crate::{args::RunArgs, failure::Failure, policy::Chosen};

/// Room for the JSON-RPC frame around the request.
const FRAME: usize = 512;
/// Room for the names of the request's fields and for what is short in it.
const FIELDS: usize = 8 * 1024;

/// The request.
pub(crate) fn build(
    args: &RunArgs,
    source: Source,
    sent: &Sent,
    input: &Input,
) -> Result<RunRequest, Failure> {
    if let Some(reason) = &args.override_reason
        && reason.trim().is_empty()
    {
        return Err(Failure::usage(
            "--override was given no reason",
            "say why it should run: --override 'read it, it is fine'",
        ));
    }
    let mut request = match String::from_utf8(source.bytes) {
        Ok(text) => RunRequest::new(text),
        Err(error) => {
            let mut request = RunRequest::default();
            request.source_base64 = Some(STANDARD.encode(error.as_bytes()));
            request
        }
    };
    request.file_name = args.name.clone().or(sent.script.clone()).or(source.name);
    request.files = sent.files.iter().map(wire).collect();
    request.effects = args.diff || args.workspace.is_some();
    request.artifacts = args.out.is_some();
    request.trace = args.trace;
    request.timing = args.timing;
    request.args.clone_from(&args.args);
    environment(args, &mut request)?;
    (request.stdin, request.stdin_base64) = match input {
        Input::Empty => (StdinMode::Empty, None),
        Input::Given(bytes) => (StdinMode::Given, Some(STANDARD.encode(bytes))),
        Input::Stream(_) => (StdinMode::Stream, None),
    };
    let project = project(args, sent);
    let layers = Chosen {
        policy: args.policy.as_deref(),
        set: &args.set,
        script: project.as_deref(),
    }
    .layers()?;
    request.policy_layers = layers.wire();
    request.policy = layers.preset;
    request.override_reason.clone_from(&args.override_reason);
    request.runtime.clone_from(&args.runtime);
    request.image.clone_from(&args.image);
    request.limits.time_ms = args.timeout;
    request.limits.memory_bytes = args.memory;
    request.limits.cpu_millis = args.cpus;
    request.limits.pids = args.pids;
    request.limits.open_files = args.open_files;
    request.limits.tmpfs_bytes = args.tmpfs;
    request.limits.output_bytes = args.max_output;
    request.detach = args.detach;
    request.person_present = person_present();
    request.client = if request.person_present {
        ClientKind::Terminal
    } else {
        ClientKind::Other
    };
    check_size(&request)?;
    Ok(request)
}

/// The script as the policy of its project is looked for: in the workspace, whatever folder it was named from.
fn project(args: &RunArgs, sent: &Sent) -> Option<PathBuf> {
    let named = args.file.as_ref().filter(|path| path.as_os_str() != "-");
    match (&args.workspace, named) {
        (Some(folder), Some(_)) => Some(folder.join(sent.script.as_deref()?)),
        (Some(folder), None) => Some(folder.clone()),
        (None, named) => named.cloned(),
    }
}

/// The variables; one without a value is passed on from our own environment, and is a secret.
fn environment(args: &RunArgs, request: &mut RunRequest) -> Result<(), Failure> {
    for (name, value) in &args.env {
        let value = if let Some(value) = value {
            value.clone()
        } else {
            request.secret_env.push(name.clone());
            std::env::var(name).map_err(|_| {
                Failure::usage(
                    format!("--env {name}: there is no such variable, or it is no text"),
                    format!("set it, or give its value: --env {name}=VALUE"),
                )
            })?
        };
        request.env.push((name.clone(), value));
    }
    Ok(())
}

fn wire((path, original): (&String, &Original)) -> InputFile {
    let mut file = InputFile::default();
    file.path.clone_from(path);
    file.base64 = STANDARD.encode(&original.bytes);
    file.executable = original.executable;
    file
}

/// Whether a person sees what is said and could have answered: there is a controlling terminal, this command has its
/// foreground, and standard error goes to a terminal. Standard input may well be a pipe.
pub(crate) fn person_present() -> bool {
    let Ok(terminal) = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
    else {
        return false;
    };
    std::io::stderr().is_terminal()
        && nix::unistd::tcgetpgrp(&terminal).is_ok_and(|group| group == nix::unistd::getpgrp())
}

/// Whether the daemon reads a request of this size.
pub(crate) fn check_size(request: &RunRequest) -> Result<(), Failure> {
    let limit = MAX_REQUEST_BYTES as usize;
    let texts = request
        .args
        .iter()
        .chain(request.env.iter().flat_map(|(key, value)| [key, value]));
    let text = request.source.len()
        + request.override_reason.as_ref().map_or(0, String::len)
        + policy_size(&request.policy_layers)
        + texts.map(|text| text.len() + 8).sum::<usize>()
        + request
            .files
            .iter()
            .map(|file| file.path.len())
            .sum::<usize>();
    let base64 = request.source_base64.as_ref().map_or(0, String::len)
        + request.stdin_base64.as_ref().map_or(0, String::len)
        + request
            .files
            .iter()
            .map(|file| file.base64.len() + 64)
            .sum::<usize>();
    // JSON makes at most six bytes of one of text, and one of base64: most requests need no second look.
    if text.saturating_mul(6) + base64 + FIELDS <= limit {
        return Ok(());
    }
    let size = serde_json::to_string(request).map_or(usize::MAX, |text| text.len() + FRAME);
    if size > limit {
        return Err(too_large(
            "the request with its script, arguments and input",
            size as u64,
        ));
    }
    Ok(())
}

fn policy_size(layers: &PolicyLayers) -> usize {
    let texts = layers.project.iter().chain(&layers.file);
    let settings = layers.settings.iter();
    texts
        .map(|text| text.name.len() + text.text.len() + 32)
        .sum::<usize>()
        + settings
            .map(|setting| setting.name.len() + setting.value.len() + 32)
            .sum::<usize>()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn built(line: &[&str], bytes: &[u8]) -> Result<RunRequest, Failure> {
        let cli = Cli::parse_from([&["saferunctl", "run"], line].concat());
        let Command::Run(args) = cli.command else {
            unreachable!()
        };
        build(
            &args,
            Source {
                bytes: bytes.to_vec(),
                name: Some("a.py".to_owned()),
            },
            &Sent::default(),
            &Input::Empty,
        )
    }

    #[test]
    fn each_option_reaches_its_field() {
        let line = [
            "a.py",
            "--policy",
            "strict",
            "--override",
            "why",
            "--timeout",
            "2s",
            "--memory",
            "128MiB",
            "--cpus",
            "0.5",
            "--pids",
            "9",
            "--open-files",
            "99",
            "--tmpfs",
            "1MiB",
            "--env",
            "K=V=W",
            "--runtime",
            "runsc",
            "--detach",
            "--",
            "-x",
            "y",
        ];
        let request = built(&line, b"print(1)").unwrap();
        assert_eq!(request.source, "print(1)");
        assert_eq!(request.file_name.as_deref(), Some("a.py"));
        assert_eq!(request.args, ["-x", "y"]);
        assert_eq!(request.env, [("K".to_owned(), "V=W".to_owned())]);
        assert_eq!(request.policy.as_deref(), Some("strict"));
        assert_eq!(request.override_reason.as_deref(), Some("why"));
        assert_eq!(request.runtime.as_deref(), Some("runsc"));
        assert_eq!(request.limits.time_ms, Some(2000));
        assert_eq!(request.limits.memory_bytes, Some(128 << 20));
        assert_eq!(request.limits.cpu_millis, Some(500));
        assert_eq!(request.limits.pids, Some(9));
        assert_eq!(request.limits.open_files, Some(99));
        assert_eq!(request.limits.tmpfs_bytes, Some(1 << 20));
        assert!(request.detach);
    }

    #[test]
    fn bytes_that_are_no_text_go_as_base64() {
        let request = built(&["a.py"], b"\xe9").unwrap();
        assert_eq!(
            (request.source.as_str(), request.source_base64.as_deref()),
            ("", Some("6Q=="))
        );
    }

    #[test]
    fn the_size_is_that_of_the_json() {
        // A control character takes six bytes in JSON.
        let controls = vec![1_u8; MAX_REQUEST_BYTES as usize / 5];
        assert_eq!(built(&["a.py"], &controls).unwrap_err().exit, 2);
        let letters = vec![b'a'; MAX_REQUEST_BYTES as usize / 5];
        assert!(built(&["a.py"], &letters).is_ok());
    }

    #[test]
    fn an_override_needs_a_reason() {
        assert_eq!(
            built(&["a.py", "--override", " "], b"1").unwrap_err().exit,
            2
        );
    }
}
