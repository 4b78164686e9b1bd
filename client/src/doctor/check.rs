//! One check of the doctor: what was looked at, what was found, why it matters, how to mend it.

use serde::Serialize;

use crate::ui::{Paint, one_line};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// Something works less well without it.
    Advisory,
    /// Nothing runs without it.
    Missing,
}

/// A check.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    /// What was looked at.
    pub(crate) name: &'static str,
    /// How it came out.
    pub(crate) state: State,
    /// What was found.
    pub(crate) found: String,
    /// Why it matters.
    pub(crate) why: &'static str,
    /// The command, or the step, that mends it.
    pub(crate) remedy: Option<String>,
}

impl Check {
    /// As it should be.
    pub(crate) fn ok(name: &'static str, why: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            state: State::Ok,
            found: found.into(),
            why,
            remedy: None,
        }
    }

    /// Nothing runs without it.
    pub(crate) fn missing(
        name: &'static str,
        why: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Missing,
            remedy: Some(remedy.into()),
            ..Self::ok(name, why, found)
        }
    }

    /// Something works less well without it.
    pub(crate) fn advisory(
        name: &'static str,
        why: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Advisory,
            ..Self::missing(name, why, found, remedy)
        }
    }

    /// For people: one line, and two more if there is something to do.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mark = match self.state {
            State::Ok => paint.good("ok     "),
            State::Advisory => paint.warn("note   "),
            State::Missing => paint.bad("missing"),
        };
        let mut text = format!("{mark}  {}: {}\n", self.name, one_line(&self.found));
        if let Some(remedy) = &self.remedy {
            for part in ["         why: ", self.why, "\n         do:  ", remedy, "\n"] {
                text.push_str(part);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_says_why_and_what_to_do() {
        let check = Check::missing(
            "engine",
            "it runs the containers",
            "nobody\nlistens",
            "start it",
        );
        assert_eq!(
            check.text(Paint::plain()),
            "missing  engine: nobody\\nlistens\n         why: it runs the containers\n         do:  start it\n"
        );
        assert_eq!(
            Check::ok("a", "b", "c").text(Paint::plain()),
            "ok       a: c\n"
        );
    }
}
