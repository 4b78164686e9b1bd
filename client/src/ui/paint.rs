//! Colours: a handful of meanings, off unless the stream is a terminal that wants them.

use std::{
    env,
    io::IsTerminal,
    sync::atomic::{AtomicU8, Ordering},
};

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

static WHEN: AtomicU8 = AtomicU8::new(0);

/// Sets what `--color` said, once, at the start.
pub(crate) fn choose_colour(when: ColorWhen) {
    let value = match when {
        ColorWhen::Auto => 0,
        ColorWhen::Always => 1,
        ColorWhen::Never => 2,
    };
    WHEN.store(value, Ordering::Relaxed);
}

/// Colours for one stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    /// Colours for what goes to standard output.
    pub(crate) fn stdout() -> Self {
        Self::of(&std::io::stdout())
    }

    /// Colours for what goes to standard error.
    pub(crate) fn stderr() -> Self {
        Self::of(&std::io::stderr())
    }

    /// No colours.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self(false)
    }

    fn of(stream: &impl IsTerminal) -> Self {
        Self(match WHEN.load(Ordering::Relaxed) {
            1 => true,
            2 => false,
            _ => {
                let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
                stream.is_terminal()
                    && !set("NO_COLOR")
                    && env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        })
    }

    /// Whether colours are on.
    pub(crate) const fn on(self) -> bool {
        self.0
    }

    /// It went well.
    pub(crate) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Worth a look.
    pub(crate) fn warn(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// It went wrong.
    pub(crate) fn bad(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// Less important than the rest.
    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
