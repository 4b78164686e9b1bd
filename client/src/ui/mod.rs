//! The one place that writes to the terminal and that ends the process.

mod ground;
mod paint;
mod progress;
mod sanitise;
mod sgr;
mod table;

use std::{
    io::{self, ErrorKind, Write},
    path::Path,
};

pub(crate) use paint::{ColorWhen, Paint, choose_colour};
pub(crate) use progress::Progress;
pub(crate) use saferun_text::one_line;
pub(crate) use sanitise::{Sanitiser, escaped_json, json, pretty_json};
pub(crate) use table::table;

use crate::exit;

/// Writes to standard output at once. When its reader has gone away, ends the process quietly, as
/// other tools do.
pub(crate) fn out(text: impl AsRef<[u8]>) {
    if let Err(error) = try_out(text.as_ref()) {
        output_failed(&error);
    }
}

/// Writes a line to standard output.
pub(crate) fn line(text: impl AsRef<str>) {
    out(format!("{}\n", text.as_ref()));
}

/// Writes to standard output and says whether it worked.
pub(crate) fn try_out(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes to standard error and says whether it worked.
pub(crate) fn try_err(bytes: &[u8]) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    stderr.write_all(bytes)?;
    stderr.flush()
}

/// Writes to standard error. Nobody can be told when that fails.
pub(crate) fn err(text: impl AsRef<str>) {
    let _ = try_err(text.as_ref().as_bytes());
}

/// Writes a line to standard error. What could act on a terminal is shown as text, whatever name it came with.
pub(crate) fn note(text: impl AsRef<str>) {
    err(format!("{}\n", harmless(text.as_ref())));
}

/// A text of this program's own in which names from elsewhere may stand: lines and colours stay.
pub(crate) fn harmless(text: &str) -> String {
    let mut sanitiser = Sanitiser::default();
    let mut shown = sanitiser.push(text.as_bytes());
    shown.push_str(&sanitiser.finish());
    shown
}

/// A path on one line, harmless.
pub(crate) fn path(path: &Path) -> String {
    one_line(&path.display().to_string())
}

/// Ends the process because standard output cannot be written.
pub(crate) fn output_failed(error: &io::Error) -> ! {
    if error.kind() == ErrorKind::BrokenPipe {
        leave(exit::PIPE);
    }
    note(format!("saferunctl: cannot write standard output: {error}"));
    leave(exit::FAILED)
}

/// Ends the process at once, whatever threads still wait for input or output. The only place that does.
/// Nothing is flushed here, because the lock of a stream may be held by a write that never returns; every
/// write of this module flushes.
#[expect(
    clippy::exit,
    reason = "a thread that reads the terminal cannot be joined"
)]
pub(crate) fn leave(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
