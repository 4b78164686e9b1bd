//! What the analysis knows of a value: what it may refer to, what constant it may be, what it holds and where it
//! came from. Every set is bounded; what no longer fits becomes unknown, never forgotten taint.

use std::rc::Rc;

use smallvec::SmallVec;

use super::rich::contents_grow;
use crate::syntax::ir::{ClassId, FuncId};

/// A resolved dotted name in the table of names.
pub(crate) type NameId = u32;

/// How many constants one value may be.
pub(crate) const MAX_CONSTS: usize = 12;
/// How many things one value may refer to.
pub(crate) const MAX_REFS: usize = 24;
/// How deep containers may nest before their inside is unknown.
const MAX_DEPTH: u16 = 12;
/// How many elements of a container are followed one by one.
pub(crate) const MAX_ELEMENTS: usize = 1 << 16;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Const {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    /// Text with parts that are not known, each shown as [`HOLE`].
    Partial(Rc<str>),
    Bytes(Rc<[u8]>),
}

/// Stands for the unknown part of a text, here and in shell text.
pub(crate) const HOLE: char = '\u{FFFC}';

/// Something that code can call or look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ref {
    /// A dotted name of a module, or what a call of one gives.
    Name(NameId),
    /// `vars()` of a name: subscripts are attributes.
    Dict(NameId),
    /// `globals()` and `locals()`.
    Globals,
    Func(FuncId),
    Method(FuncId, ClassId),
    Class(ClassId),
    Instance(ClassId),
    /// A callable with arguments already given; index into the engine's table.
    Partial(u32),
    /// A method of a constant or container; index into the engine's table.
    Bound(u32),
}

/// Where data came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Label {
    /// Keys, tokens, password stores.
    SecretFile,
    /// The whole environment.
    Environment,
    /// A variable whose name says that it is secret.
    SecretEnv,
    /// Any other variable.
    EnvVar,
    /// A file outside of the working folder.
    UserFile,
    /// Any file.
    File,
    /// What a remote side sent.
    Network,
    /// What the user or a pipe gave.
    Stdin,
    /// The command line.
    Argv,
    /// Clipboard, screen, keyboard, camera, microphone.
    Capture,
    /// Names and numbers that identify the host or its user.
    Host,
    /// Bytes that were decoded from something unknown.
    Decoded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taint {
    pub(crate) label: Label,
    /// Index into the engine's table of steps.
    pub(crate) step: u32,
}

pub(crate) type Taints = SmallVec<[Taint; 2]>;

/// A value of which more than one simple thing is known.
#[derive(Debug, Default)]
pub(crate) struct Rich {
    pub(crate) refs: SmallVec<[Ref; 2]>,
    pub(crate) consts: SmallVec<[Const; 1]>,
    /// May also be a constant that is not listed.
    pub(crate) open: bool,
    pub(crate) seq: Option<Rc<Vec<Value>>>,
    /// It may be sequences that are not kept apart; what they hold is in `element`.
    pub(crate) spread: bool,
    pub(crate) dict: Option<Rc<Vec<(Value, Value)>>>,
    /// Any element of a container whose elements are not followed one by one.
    pub(crate) element: Value,
    pub(crate) taint: Taints,
    pub(crate) depth: u16,
}

#[derive(Debug, Clone, Default)]
pub(crate) enum Value {
    #[default]
    Unknown,
    Const(Const),
    Ref(Ref),
    Rich(Rc<Rich>),
}

impl Value {
    pub(crate) fn str(text: &str) -> Self {
        Self::Const(Const::Str(Rc::from(text)))
    }

    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        Self::Const(Const::Bytes(Rc::from(bytes)))
    }

    pub(crate) fn int(number: i64) -> Self {
        Self::Const(Const::Int(number))
    }

    pub(crate) fn seq(items: Vec<Self>) -> Self {
        if items.len() > MAX_ELEMENTS {
            return Self::element(items.iter().fold(Self::Unknown, |all, item| all.join(item)));
        }
        let depth = items.iter().map(Self::depth).max().unwrap_or(0) + 1;
        if depth > MAX_DEPTH {
            return Self::default().with_taints(&gather(items.iter()));
        }
        Self::Rich(Rc::new(Rich {
            seq: Some(Rc::new(items)),
            depth,
            ..Rich::default()
        }))
    }

    pub(crate) fn dict(pairs: Vec<(Self, Self)>) -> Self {
        let depth = pairs
            .iter()
            .map(|(_, value)| value.depth())
            .max()
            .unwrap_or(0)
            + 1;
        if depth > MAX_DEPTH || pairs.len() > MAX_ELEMENTS {
            return Self::default().with_taints(&gather(pairs.iter().map(|(_, value)| value)));
        }
        Self::Rich(Rc::new(Rich {
            dict: Some(Rc::new(pairs)),
            depth,
            ..Rich::default()
        }))
    }

    /// A container of which only the union of its elements is known.
    pub(crate) fn element(element: Self) -> Self {
        if element.is_unknown() {
            return Self::Unknown;
        }
        let depth = element.depth() + 1;
        if depth > MAX_DEPTH {
            return Self::default().with_taints(&element.taints());
        }
        Self::Rich(Rc::new(Rich {
            element,
            depth,
            ..Rich::default()
        }))
    }

    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    pub(super) fn depth(&self) -> u16 {
        if let Self::Rich(rich) = self {
            rich.depth
        } else {
            0
        }
    }

    pub(crate) fn rich(&self) -> Option<&Rich> {
        if let Self::Rich(rich) = self {
            Some(rich)
        } else {
            None
        }
    }

    pub(crate) fn refs(&self) -> SmallVec<[Ref; 2]> {
        match self {
            Self::Ref(one) => SmallVec::from_slice(&[*one]),
            Self::Rich(rich) => SmallVec::from_slice(&rich.refs),
            _ => SmallVec::new(),
        }
    }

    pub(crate) fn consts(&self) -> &[Const] {
        match self {
            Self::Const(one) => std::slice::from_ref(one),
            Self::Rich(rich) => &rich.consts,
            _ => &[],
        }
    }

    /// The one constant that the value is sure to be.
    pub(crate) fn exact(&self) -> Option<&Const> {
        match self {
            Self::Const(one) => Some(one),
            Self::Rich(rich)
                if !rich.open
                    && rich.consts.len() == 1
                    && rich.refs.is_empty()
                    && rich.seq.is_none()
                    && rich.dict.is_none() =>
            {
                rich.consts.first()
            }
            _ => None,
        }
    }

    /// Whether it is a constant or a list of constants, as the code itself spells them out.
    pub(crate) fn is_spelled_out(&self) -> bool {
        self.exact().is_some()
            || self
                .items()
                .is_some_and(|items| items.iter().all(|item| item.exact().is_some()))
    }

    /// All constants, when it is sure to be one of them and each is wholly known.
    pub(crate) fn closed(&self) -> Option<&[Const]> {
        let (consts, open) = match self {
            Self::Const(one) => (std::slice::from_ref(one), false),
            Self::Rich(rich) => (rich.consts.as_slice(), rich.open || !rich.refs.is_empty()),
            _ => return None,
        };
        let whole = !open && !consts.iter().any(|one| matches!(one, Const::Partial(_)));
        (whole && !consts.is_empty()).then_some(consts)
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self.exact() {
            Some(Const::Str(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_int(&self) -> Option<i64> {
        match self.exact() {
            Some(Const::Int(number)) => Some(*number),
            Some(Const::Bool(flag)) => Some(i64::from(*flag)),
            _ => None,
        }
    }

    /// Whether the value is sure to be true or false.
    pub(crate) fn truth(&self) -> Option<bool> {
        if let Self::Rich(rich) = self
            && let Some(seq) = &rich.seq
        {
            return (rich.refs.is_empty() && rich.consts.is_empty() && !rich.open)
                .then_some(!seq.is_empty());
        }
        Some(match self.exact()? {
            Const::None => false,
            Const::Bool(flag) => *flag,
            Const::Int(number) => *number != 0,
            Const::Float(number) => *number != 0.0,
            Const::Str(text) => !text.is_empty(),
            Const::Partial(_) => return None,
            Const::Bytes(bytes) => !bytes.is_empty(),
        })
    }

    pub(crate) fn items(&self) -> Option<&Rc<Vec<Self>>> {
        self.rich().and_then(|rich| rich.seq.as_ref())
    }

    pub(crate) fn pairs(&self) -> Option<&Rc<Vec<(Self, Self)>>> {
        self.rich().and_then(|rich| rich.dict.as_ref())
    }

    pub(crate) fn taints(&self) -> Taints {
        self.rich()
            .map(|rich| SmallVec::from_slice(&rich.taint))
            .unwrap_or_default()
    }

    pub(crate) fn is_tainted(&self) -> bool {
        self.rich().is_some_and(|rich| !rich.taint.is_empty())
    }

    /// Own taint and that of the elements.
    pub(crate) fn all_taints(&self) -> Taints {
        let mut all = Taints::new();
        // Containers nest at most `MAX_DEPTH` deep; the queue is bounded by what one display holds.
        let mut pending: SmallVec<[&Self; 8]> = SmallVec::from_slice(&[self]);
        let mut seen = 0;
        while let Some(value) = pending.pop() {
            seen += 1;
            let Self::Rich(rich) = value else { continue };
            merge_taints(&mut all, &rich.taint);
            if seen > 2048 {
                break;
            }
            pending.push(&rich.element);
            if let Some(seq) = &rich.seq {
                pending.extend(seq.iter().filter(|v| v.rich().is_some()).take(1024));
            }
            if let Some(dict) = &rich.dict {
                pending.extend(
                    dict.iter()
                        .map(|(_, v)| v)
                        .filter(|v| v.rich().is_some())
                        .take(1024),
                );
            }
        }
        all
    }

    fn to_rich(&self) -> Rich {
        match self {
            Self::Unknown => Rich {
                open: true,
                ..Rich::default()
            },
            Self::Const(one) => Rich {
                consts: SmallVec::from_elem(one.clone(), 1),
                ..Rich::default()
            },
            Self::Ref(one) => Rich {
                refs: SmallVec::from_slice(&[*one]),
                ..Rich::default()
            },
            Self::Rich(rich) => Rich::clone(rich),
        }
    }

    pub(crate) fn with_taints(&self, taints: &[Taint]) -> Self {
        if taints.is_empty() {
            return self.clone();
        }
        let mut rich = self.to_rich();
        merge_taints(&mut rich.taint, taints);
        Self::Rich(Rc::new(rich))
    }

    /// The same value with its taint replaced.
    pub(crate) fn set_taints(&self, taints: Taints) -> Self {
        match self {
            Self::Rich(rich) => {
                let mut rich = Rich::clone(rich);
                rich.taint = taints;
                Self::Rich(Rc::new(rich))
            }
            _ => self.with_taints(&taints),
        }
    }

    /// Whether anything in `other` is not yet in `self`; says nothing of steps.
    pub(crate) fn would_grow(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Unknown) => false,
            (Self::Const(a), Self::Const(b)) => a != b,
            (Self::Ref(a), Self::Ref(b)) => a != b,
            (Self::Rich(a), Self::Rich(b)) if Rc::ptr_eq(a, b) => false,
            (Self::Rich(a), Self::Const(b)) => a.lacks(b),
            (Self::Rich(a), Self::Ref(b)) => !a.refs.contains(b) && a.refs.len() < MAX_REFS,
            (Self::Rich(a), Self::Rich(other)) => {
                other.refs.iter().any(|one| !a.refs.contains(one)) && a.refs.len() < MAX_REFS
                    || other
                        .taint
                        .iter()
                        .any(|t| !a.taint.iter().any(|o| o.label == t.label))
                    || other.consts.iter().any(|one| a.lacks(one))
                    || other.seq.is_some() && a.seq.is_none() && !a.spread
                    || a.spread
                        && other.seq.as_ref().is_some_and(|items| {
                            items.iter().take(32).any(|item| a.element.would_grow(item))
                        })
                    || other.dict.is_some() && a.dict.is_none()
                    || a.element.would_grow(&other.element)
                    || contents_grow(a, other)
            }
            _ => true,
        }
    }

    /// Whether all that is known of both are numbers.
    pub(crate) fn only_counts(&self, other: &Self) -> bool {
        [self, other].into_iter().all(|value| {
            let plain = match value {
                Self::Rich(rich) => {
                    rich.refs.is_empty()
                        && rich.seq.is_none()
                        && rich.dict.is_none()
                        && rich.element.is_unknown()
                        && rich.taint.is_empty()
                }
                _ => true,
            };
            plain
                && !value.consts().is_empty()
                && value
                    .consts()
                    .iter()
                    .all(|one| matches!(one, Const::Int(_) | Const::Float(_) | Const::Bool(_)))
        })
    }

    /// Either of the two.
    pub(crate) fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Unknown, Self::Unknown) => Self::Unknown,
            (Self::Const(a), Self::Const(b)) if a == b => self.clone(),
            (Self::Ref(a), Self::Ref(b)) if a == b => self.clone(),
            (Self::Rich(a), Self::Rich(b)) if Rc::ptr_eq(a, b) => self.clone(),
            // What is in the one already makes no new value.
            (Self::Rich(a), Self::Unknown) if a.open => self.clone(),
            (Self::Unknown, Self::Rich(b)) if b.open => other.clone(),
            (Self::Rich(a), Self::Const(b)) if a.consts.contains(b) => self.clone(),
            (Self::Rich(a), Self::Ref(b)) if a.refs.contains(b) => self.clone(),
            _ => {
                let mut all = self.to_rich();
                match other {
                    Self::Unknown => all.open = true,
                    Self::Const(one) => all.absorb_const(one),
                    Self::Ref(one) => all.absorb_ref(*one),
                    Self::Rich(other) => all.absorb(other),
                }
                Self::Rich(Rc::new(all))
            }
        }
    }
}

/// Either of what was found before, if anything was, and this.
pub(crate) fn either_of(before: Option<Value>, one: &Value) -> Value {
    before.map_or_else(|| one.clone(), |before| before.join(one))
}

/// Adds labels that are not there yet; the first step of a label stays.
pub(crate) fn merge_taints(all: &mut Taints, more: &[Taint]) {
    for taint in more {
        if !all.iter().any(|known| known.label == taint.label) {
            all.push(*taint);
        }
    }
}

/// The union of the taints of some values.
pub(crate) fn gather<'v>(values: impl Iterator<Item = &'v Value>) -> Taints {
    let mut all = Taints::new();
    for value in values {
        if let Value::Rich(rich) = value {
            merge_taints(&mut all, &rich.taint);
        }
    }
    all
}
