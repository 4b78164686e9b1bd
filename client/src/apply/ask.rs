//! Asks on the terminal which changes are wanted, as `git add -p` does.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
};

use nix::sys::termios::{FlushArg, tcflush};
use saferun_protocol::Change;

use super::{choose::Picked, hunks::Hunks};
use crate::{run::summary, ui::one_line};

const HELP: &str = "\
y - apply this
n - do not
a - apply this and the rest of the file
d - neither this nor the rest of the file
q - neither this nor anything after it
";

/// The questions on a terminal.
pub(super) struct Questions<R, W> {
    answers: R,
    out: W,
    ended: bool,
}

/// Asks at the controlling terminal: standard input may be the script's.
pub(super) fn terminal() -> io::Result<Questions<BufReader<File>, File>> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    // What was typed while the script ran, perhaps because it asked for it, is no answer to these questions.
    tcflush(&terminal, FlushArg::TCIFLUSH)?;
    Ok(Questions {
        answers: BufReader::new(terminal.try_clone()?),
        out: terminal,
        ended: false,
    })
}

impl<R: BufRead, W: Write> Questions<R, W> {
    /// Questions that are answered by a reader.
    #[cfg(test)]
    pub(super) fn new(answers: R, out: W) -> Self {
        let ended = false;
        Self {
            answers,
            out,
            ended,
        }
    }

    /// What of a change is wanted; `None` when nothing more is.
    pub(super) fn ask(&mut self, change: &Change, hunks: Option<&Hunks>) -> Option<Picked> {
        if self.ended {
            return None;
        }
        let count = hunks.map_or(1, Hunks::count);
        let mut chosen = BTreeSet::new();
        let mut number = 1;
        let _ = writeln!(self.out, "{}", summary(change));
        while number <= count {
            if let Some(hunks) = hunks {
                let _ = self.out.write_all(hunks.shown(number).as_bytes());
            }
            let path = one_line(&change.path);
            let _ = write!(
                self.out,
                "({number}/{count}) apply this to {path} [y,n,a,d,q,?]? "
            );
            let _ = self.out.flush();
            match self.answer() {
                'y' => {
                    chosen.insert(number);
                }
                'n' => {}
                'a' => {
                    chosen.extend(number..=count);
                    break;
                }
                'd' => break,
                'q' => {
                    self.ended = true;
                    break;
                }
                _ => {
                    let _ = self.out.write_all(HELP.as_bytes());
                    continue;
                }
            }
            number += 1;
        }
        Some(match chosen.len() {
            0 => Picked::Nothing,
            all if all == count => Picked::All,
            _ => Picked::Hunks(chosen),
        })
    }

    /// The first letter of a line; the end of the answers is `q`.
    fn answer(&mut self) -> char {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) | Err(_) => {
                // What is said next begins a line.
                let _ = self.out.write_all(b"\n");
                'q'
            }
            Ok(_) => line.trim().chars().next().unwrap_or('?'),
        }
    }
}
