//! One value of the language, its text, and the rule by which a project layer may tighten it.
//! `meet` is the heart of "a project only tightens": associative, commutative, idempotent (tested as laws).

use std::fmt;
use std::time::Duration;

use crate::action::Action;
use crate::rate::{Rate, conjoin};
use crate::units::{Bytes, MilliCpus, show_duration};

/// A value of a key, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Bool(bool),
    Count(u32),
    Bytes(Bytes),
    Cpus(MilliCpus),
    Time(Duration),
    Percent(u8),
    Action(Action),
    /// All of these hold; none at all is `none`.
    Rates(Vec<Rate>),
    /// One word out of the key's list.
    Word(&'static str),
    /// Distinct words out of the key's list, in the list's order.
    Words(Vec<&'static str>),
    Text(String),
    /// Free texts, distinct, in the order of the file.
    Texts(Vec<String>),
}

/// The direction in which a value is tighter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tighten {
    /// A smaller number or share.
    Lower,
    /// A larger number; `true`; a word that stands later in the key's list.
    Higher,
    /// The stricter gate and the stricter tier.
    Join,
    /// Fewer words.
    Fewer,
    /// More texts.
    More,
    /// Every rate of both.
    Both,
    /// No direction: a project's value is ignored with a warning.
    Never,
}

/// What became of a project's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Met {
    /// It says nothing new.
    Same,
    /// The result is tighter than before.
    Tightened(Value),
    /// It asks, in part at least, for more than there is. What it tightens beside that still holds.
    Widens(Value),
}

impl Value {
    /// The tightest value that honours both. `words` is the key's list, in which order counts.
    pub(crate) fn meet(&self, other: &Self, tighten: Tighten, words: &[&str]) -> Self {
        let rank = |word: &str| words.iter().position(|known| *known == word);
        match (self, other, tighten) {
            (Self::Bool(a), Self::Bool(b), Tighten::Lower) => Self::Bool(*a && *b),
            (Self::Bool(a), Self::Bool(b), Tighten::Higher) => Self::Bool(*a || *b),
            (Self::Count(a), Self::Count(b), Tighten::Lower) => Self::Count(*a.min(b)),
            (Self::Count(a), Self::Count(b), Tighten::Higher) => Self::Count(*a.max(b)),
            (Self::Bytes(a), Self::Bytes(b), Tighten::Lower) => Self::Bytes(*a.min(b)),
            (Self::Cpus(a), Self::Cpus(b), Tighten::Lower) => Self::Cpus(*a.min(b)),
            (Self::Time(a), Self::Time(b), Tighten::Lower) => Self::Time(*a.min(b)),
            (Self::Percent(a), Self::Percent(b), Tighten::Lower) => Self::Percent(*a.min(b)),
            (Self::Percent(a), Self::Percent(b), Tighten::Higher) => Self::Percent(*a.max(b)),
            (Self::Action(a), Self::Action(b), Tighten::Join) => Self::Action(a.join(*b)),
            (Self::Rates(a), Self::Rates(b), Tighten::Both) => Self::Rates(conjoin(a, b)),
            (Self::Word(a), Self::Word(b), Tighten::Higher) => {
                Self::Word(if rank(a) >= rank(b) { a } else { b })
            }
            (Self::Words(a), Self::Words(b), Tighten::Fewer) => {
                Self::Words(a.iter().filter(|word| b.contains(word)).copied().collect())
            }
            (Self::Texts(a), Self::Texts(b), Tighten::More) => {
                let mut all: Vec<String> = a.iter().chain(b).cloned().collect();
                all.sort();
                all.dedup();
                Self::Texts(all)
            }
            _ => self.clone(),
        }
    }

    /// Brings a project's value onto what stands.
    pub(crate) fn tightened_by(&self, asked: &Self, tighten: Tighten, words: &[&str]) -> Met {
        if self == asked {
            return Met::Same;
        }
        let met = self.meet(asked, tighten, words);
        let widens = match (self, asked, tighten) {
            (_, _, Tighten::Never) => true,
            // More of what tightens is never a widening, nor is a subset of what stands.
            (_, _, Tighten::More | Tighten::Join) => false,
            (_, Self::Rates(rates), Tighten::Both) => rates.is_empty(),
            (Self::Words(stand), Self::Words(asked), Tighten::Fewer) => {
                asked.iter().any(|word| !stand.contains(word))
            }
            _ => met != *asked,
        };
        if widens || (met == *self && !matches!(tighten, Tighten::More | Tighten::Both)) {
            Met::Widens(met)
        } else if met == *self {
            Met::Same
        } else {
            Met::Tightened(met)
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &[&str]| write!(f, "[{}]", items.join(", "));
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Count(value) => value.fmt(f),
            Self::Bytes(value) => value.fmt(f),
            Self::Cpus(value) => value.fmt(f),
            Self::Time(value) => f.write_str(&show_duration(*value)),
            Self::Percent(value) => write!(f, "{value}%"),
            Self::Action(value) => value.fmt(f),
            Self::Rates(rates) if rates.is_empty() => f.write_str("none"),
            Self::Rates(rates) => {
                let texts: Vec<String> = rates.iter().map(ToString::to_string).collect();
                match texts.as_slice() {
                    [one] => f.write_str(one),
                    many => write!(f, "[{}]", many.join(", ")),
                }
            }
            Self::Word(value) => f.write_str(value),
            Self::Words(values) => list(f, values),
            Self::Text(value) => f.write_str(value),
            Self::Texts(values) => list(f, &values.iter().map(String::as_str).collect::<Vec<_>>()),
        }
    }
}
