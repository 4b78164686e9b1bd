//! What the analysis knows of a value: what it may refer to, what constant it may be, what it holds and where it
//! came from. Every set is bounded; what no longer fits becomes unknown, never forgotten taint.

use std::rc::Rc;

use smallvec::SmallVec;

use crate::syntax::ir::{ClassId, FuncId};

/// A resolved dotted name in the table of names.
pub(crate) type NameId = u32;

/// How many constants one value may be.
const MAX_CONSTS: usize = 8;
/// How many things one value may refer to.
const MAX_REFS: usize = 8;
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
#[derive(Debug, Clone, Default)]
pub(crate) struct Rich {
    pub(crate) refs: SmallVec<[Ref; 2]>,
    pub(crate) consts: SmallVec<[Const; 1]>,
    /// May also be a constant that is not listed.
    pub(crate) open: bool,
    pub(crate) seq: Option<Rc<Vec<Value>>>,
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

    fn depth(&self) -> u16 {
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
            Self::Rich(rich) => rich.refs.clone(),
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
            .map(|rich| rich.taint.clone())
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
            if seen > 256 {
                break;
            }
            pending.push(&rich.element);
            if let Some(seq) = &rich.seq {
                pending.extend(seq.iter().filter(|v| v.rich().is_some()).take(64));
            }
            if let Some(dict) = &rich.dict {
                pending.extend(
                    dict.iter()
                        .map(|(_, v)| v)
                        .filter(|v| v.rich().is_some())
                        .take(64),
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
            (Self::Rich(a), _) => {
                let other = other.to_rich();
                other.refs.iter().any(|one| !a.refs.contains(one)) && a.refs.len() < MAX_REFS
                    || other
                        .taint
                        .iter()
                        .any(|t| !a.taint.iter().any(|o| o.label == t.label))
                    || !a.open && other.consts.iter().any(|one| !a.consts.contains(one))
                    || other.seq.is_some() && a.seq.is_none() && a.element.is_unknown()
                    || other.dict.is_some() && a.dict.is_none() && a.element.is_unknown()
                    || a.element.is_unknown() && !other.element.is_unknown()
                    || contents_grow(a, &other)
            }
            _ => true,
        }
    }

    /// Either of the two.
    pub(crate) fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Unknown, Self::Unknown) => Self::Unknown,
            (Self::Const(a), Self::Const(b)) if a == b => self.clone(),
            (Self::Ref(a), Self::Ref(b)) if a == b => self.clone(),
            (Self::Rich(a), Self::Rich(b)) if Rc::ptr_eq(a, b) => self.clone(),
            _ => {
                let mut all = self.to_rich();
                all.absorb(&other.to_rich());
                Self::Rich(Rc::new(all))
            }
        }
    }
}

impl Rich {
    fn absorb(&mut self, other: &Self) {
        for one in &other.refs {
            if !self.refs.contains(one) {
                if self.refs.len() < MAX_REFS {
                    self.refs.push(*one);
                } else {
                    self.open = true;
                }
            }
        }
        for one in &other.consts {
            if !self.consts.contains(one) {
                if self.consts.len() < MAX_CONSTS {
                    self.consts.push(one.clone());
                } else {
                    self.open = true;
                }
            }
        }
        self.open |= other.open;
        merge_taints(&mut self.taint, &other.taint);
        match (&self.seq, &other.seq) {
            (None, Some(_)) => self.seq.clone_from(&other.seq),
            (Some(a), Some(b)) if !Rc::ptr_eq(a, b) => {
                // Deeper or wider than this a join could cost more than the code is long.
                if self.depth > 2 {
                    let taints = gather(a.iter().chain(b.iter()).take(64));
                    self.element = self.element.with_taints(&taints);
                    self.seq = None;
                    self.open = true;
                } else if a.len() == b.len() && a.len() <= 8 {
                    let items = a.iter().zip(b.iter()).map(|(x, y)| x.join(y)).collect();
                    self.seq = Some(Rc::new(items));
                } else {
                    let merged = a
                        .iter()
                        .chain(b.iter())
                        .take(64)
                        .fold(self.element.clone(), |all, item| all.join(item));
                    self.element = merged;
                    self.seq = None;
                    self.open = true;
                }
            }
            _ => {}
        }
        match (&self.dict, &other.dict) {
            (None, Some(_)) => self.dict.clone_from(&other.dict),
            (Some(a), Some(b)) if !Rc::ptr_eq(a, b) => {
                let pairs: Vec<_> = a.iter().chain(b.iter()).take(256).cloned().collect();
                self.dict = Some(Rc::new(pairs));
            }
            _ => {}
        }
        if !other.element.is_unknown() {
            self.element = self.element.join(&other.element);
        }
        self.depth = self.depth.max(other.depth).max(self.element.depth() + 1);
    }
}

/// Whether a container holds something that the other one of its kind does not. Looks a few levels deep: deeper
/// contents are rare, and code must not be able to make this costly.
fn contents_grow(known: &Rich, other: &Rich) -> bool {
    if known.depth > 3 || other.depth > 3 {
        return false;
    }
    let seq = match (&known.seq, &other.seq) {
        (Some(a), Some(b)) if !Rc::ptr_eq(a, b) => {
            a.len() != b.len()
                || a.iter()
                    .zip(b.iter())
                    .take(32)
                    .any(|(x, y)| x.would_grow(y))
        }
        _ => false,
    };
    seq || match (&known.dict, &other.dict) {
        (Some(a), Some(b)) if !Rc::ptr_eq(a, b) => {
            a.len() < b.len()
                || a.iter()
                    .zip(b.iter())
                    .take(32)
                    .any(|((_, x), (_, y))| x.would_grow(y))
        }
        _ => false,
    }
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
