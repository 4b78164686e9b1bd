//! Standard input of the program: known beforehand where it can be, else passed on live, never more
//! than the program has room for.

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    os::unix::fs::FileTypeExt,
    path::Path,
    sync::{Arc, mpsc as blocking},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{ApiClient, Client};
use tokio::sync::{Semaphore, mpsc};

use crate::{args::RunArgs, failure::Failure, ui};

/// A file up to this size goes with the request.
const WITH_REQUEST: u64 = 256 * 1024;
/// Most bytes that are read and sent at once.
const CHUNK: usize = 64 * 1024;

/// Where standard input comes from.
pub(crate) enum Input {
    /// There is none.
    Empty,
    /// It is all there.
    Given(Vec<u8>),
    /// It comes while the program runs.
    Stream(Box<dyn Read + Send>),
}

/// Decides where standard input comes from.
pub(crate) fn choose(args: &RunArgs) -> Result<Input, Failure> {
    if let Some(path) = &args.stdin {
        let unreadable = |error: io::Error| {
            Failure::usage(
                format!("cannot read {} for --stdin: {error}", ui::path(path)),
                "check the path",
            )
        };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(Failure::usage(
                format!("{} is a folder, not a file for --stdin", ui::path(path)),
                "name a file in it",
            ));
        }
        return of_file(file).map_err(unreadable);
    }
    // Nobody sees the questions of a program whose output is collected or left behind.
    let script_on_stdin = args.file.as_deref() == Some(Path::new("-"));
    if script_on_stdin || args.detach {
        return Ok(Input::Empty);
    }
    let stdin = io::stdin();
    if stdin.is_terminal() {
        // A thread that reads the terminal for the script would take the answers to --patch.
        return Ok(if args.json || args.patch {
            Input::Empty
        } else {
            Input::Stream(Box::new(Terminal))
        });
    }
    // A closed descriptor is no input.
    let Ok(file) = std::os::fd::AsFd::as_fd(&stdin).try_clone_to_owned() else {
        return Ok(Input::Empty);
    };
    Ok(of_file(file.into()).unwrap_or(Input::Empty))
}

fn of_file(mut file: File) -> io::Result<Input> {
    let meta = file.metadata()?;
    let kind = meta.file_type();
    if kind.is_char_device() && is_null(&meta) {
        return Ok(Input::Empty);
    }
    if kind.is_file() && meta.len() <= WITH_REQUEST {
        let mut bytes = Vec::new();
        // The file may have grown since; what is over the bound would not fit anyway.
        file.take(WITH_REQUEST * 2).read_to_end(&mut bytes)?;
        return Ok(if bytes.is_empty() {
            Input::Empty
        } else {
            Input::Given(bytes)
        });
    }
    if kind.is_dir() {
        return Ok(Input::Empty);
    }
    // Fails early for a file that was opened for writing only.
    let _nothing = file.read(&mut [])?;
    Ok(Input::Stream(Box::new(file)))
}

/// `/dev/null` is device 1:3 on Linux.
fn is_null(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    meta.rdev() == (1 << 8 | 3)
}

/// The terminal; a process in the background gets end of file instead of being stopped by the kernel.
struct Terminal;

impl Read for Terminal {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stdin = io::stdin();
        if nix::unistd::tcgetpgrp(&stdin).is_ok_and(|group| group != nix::unistd::getpgrp()) {
            return Ok(0);
        }
        stdin.lock().read(buffer)
    }
}

/// Passes standard input on while the program runs.
pub(crate) struct Feeder {
    client: Arc<Client>,
    credit: Arc<Semaphore>,
    input: Option<Box<dyn Read + Send>>,
}

impl Feeder {
    /// A feeder that has not begun.
    pub(crate) fn new(client: Arc<Client>, input: Input) -> Self {
        let input = match input {
            Input::Stream(reader) => Some(reader),
            Input::Empty | Input::Given(_) => None,
        };
        Self {
            client,
            credit: Arc::new(Semaphore::new(0)),
            input,
        }
    }

    /// The input again, of a run that never began.
    pub(crate) fn untouched(self) -> Input {
        self.input.map_or(Input::Empty, Input::Stream)
    }

    /// Begins, at the first credit: nothing is read before.
    pub(crate) fn start(&mut self, id: &str) {
        if let Some(input) = self.input.take() {
            let task = feed(
                Arc::clone(&self.client),
                id.to_owned(),
                input,
                Arc::clone(&self.credit),
            );
            tokio::spawn(task);
        }
    }

    /// The program has room for so many more bytes.
    pub(crate) fn credit(&self, bytes: u32) {
        let room = Semaphore::MAX_PERMITS - self.credit.available_permits();
        self.credit.add_permits(room.min(bytes as usize));
    }
}

async fn feed(
    client: Arc<Client>,
    id: String,
    input: Box<dyn Read + Send>,
    credit: Arc<Semaphore>,
) {
    let Some((ask, mut chunks)) = reader_thread(input) else {
        return;
    };
    loop {
        let Ok(first) = credit.acquire().await else {
            return;
        };
        first.forget();
        let more = credit.available_permits().min(CHUNK - 1);
        credit.forget_permits(more);
        if ask.send(more + 1).is_err() {
            return;
        }
        // A read error ends the input as its end does.
        let bytes = chunks.recv().await.unwrap_or_default();
        credit.add_permits(more + 1 - bytes.len());
        let end = bytes.is_empty();
        // An error means that the run is over: its result is on the way.
        if client
            .stdin(id.clone(), STANDARD.encode(&bytes), end)
            .await
            .is_err()
            || end
        {
            return;
        }
    }
}

/// A thread that reads as much as it is asked for. It is never joined: a terminal may never answer.
fn reader_thread(
    mut input: Box<dyn Read + Send>,
) -> Option<(blocking::SyncSender<usize>, mpsc::Receiver<Vec<u8>>)> {
    let (ask, asked) = blocking::sync_channel::<usize>(1);
    let (sender, chunks) = mpsc::channel(1);
    let body = move || {
        while let Ok(room) = asked.recv() {
            let mut buffer = vec![0; room];
            let count = loop {
                match input.read(&mut buffer) {
                    Ok(count) => break count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break 0,
                }
            };
            buffer.truncate(count);
            if sender.blocking_send(buffer).is_err() {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(body)
        .ok()?;
    Some((ask, chunks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_go_with_the_request() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        std::fs::write(&path, "1,2,3").unwrap();
        assert!(
            matches!(of_file(File::open(&path).unwrap()).unwrap(), Input::Given(bytes) if bytes == b"1,2,3")
        );
        std::fs::write(&path, "").unwrap();
        assert!(matches!(
            of_file(File::open(&path).unwrap()).unwrap(),
            Input::Empty
        ));
        File::create(&path).unwrap().set_len(1 << 20).unwrap();
        assert!(matches!(
            of_file(File::open(&path).unwrap()).unwrap(),
            Input::Stream(_)
        ));
    }

    #[test]
    fn devices() {
        assert!(matches!(
            of_file(File::open("/dev/null").unwrap()).unwrap(),
            Input::Empty
        ));
        assert!(matches!(
            of_file(File::open("/dev/zero").unwrap()).unwrap(),
            Input::Stream(_)
        ));
        assert!(of_file(File::options().write(true).open("/dev/full").unwrap()).is_err());
    }

    #[test]
    fn the_reader_reads_only_what_it_is_asked_for() {
        let (ask, mut chunks) = reader_thread(Box::new(&b"abcdef"[..])).unwrap();
        for (room, bytes) in [(4, &b"abcd"[..]), (4, b"ef"), (4, b"")] {
            ask.send(room).unwrap();
            assert_eq!(chunks.blocking_recv().unwrap(), bytes);
        }
    }
}
