//! How far a long command is: a spinner on a terminal, plain lines elsewhere.

use std::{collections::VecDeque, io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use super::{note, one_line};

/// Last lines of the tools that are kept, for when they fail.
const KEPT: usize = 12;

/// What is shown of a long command.
pub(crate) struct Progress {
    spinner: Option<ProgressBar>,
    verbose: bool,
    plain: bool,
    tail: VecDeque<String>,
}

impl Progress {
    /// With `verbose`, every line of the tools is shown.
    pub(crate) fn new(verbose: bool) -> Self {
        let spinner = (std::io::stderr().is_terminal() && !verbose).then(|| {
            let spinner = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
                spinner.set_style(style);
            }
            spinner.enable_steady_tick(Duration::from_millis(120));
            spinner
        });
        Self {
            plain: spinner.is_none(),
            spinner,
            verbose,
            tail: VecDeque::new(),
        }
    }

    /// Shows nothing.
    #[cfg(test)]
    pub(crate) fn quiet() -> Self {
        Self {
            spinner: None,
            verbose: false,
            plain: false,
            tail: VecDeque::new(),
        }
    }

    /// A step begins.
    pub(crate) fn step(&self, message: &str, step: u32, steps: u32) {
        let text = format!("[{step}/{steps}] {}", one_line(message));
        match &self.spinner {
            Some(spinner) => spinner.set_message(text),
            None if self.plain => note(text),
            None => {}
        }
    }

    /// A tool said something.
    pub(crate) fn log(&mut self, line: &str) {
        let line = one_line(line);
        if self.verbose {
            note(format!("  {line}"));
            return;
        }
        if self.tail.len() == KEPT {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }

    /// The last lines of the tools.
    #[cfg(test)]
    pub(crate) fn last_lines(&self) -> impl Iterator<Item = &str> {
        self.tail.iter().map(String::as_str)
    }

    /// The last lines of the tools, as they stand below an error; empty if there are none.
    pub(crate) fn said(&self) -> String {
        self.tail
            .iter()
            .flat_map(|line| ["\n  | ", line.as_str()])
            .collect()
    }

    /// Takes the spinner away.
    pub(crate) fn end(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
