//! The events of a trace, bounded. What happens again is counted; no kind crowds out another, and nothing that was let
//! through crowds out what was refused, or the other way round. What is left out is counted by its kind. Pure.

use std::collections::{BTreeMap, HashMap};

use saferun_frames::{EventKind, MAX_EVENTS, MAX_TEXT, TraceEvent, TraceVerdict};

/// Kinds of events, each with its share of [`MAX_EVENTS`]; three of them have one for what was let through and one for what
/// was refused.
const CLASSES: usize = 10;

/// Acts of one class that are told apart.
const ROOM: usize = MAX_EVENTS / CLASSES;

/// Places in the script, with what became of it there, that are told apart of one act. What happens at further ones is told
/// without a place, so that nobody takes it for the act of those alone.
const PLACES: usize = 8;

/// Events that share room: their kind, and whether they were refused where both can be.
type Class = (EventKind, bool);

/// Events of a class by what they have in common, each group in the order of the first times.
type Groups = HashMap<String, Vec<u64>>;

#[derive(Debug, Default)]
pub(super) struct Log {
    /// By the order of their first times.
    events: BTreeMap<u64, TraceEvent>,
    next: u64,
    /// The events of an act.
    known: HashMap<(EventKind, String), Vec<u64>>,
    classes: HashMap<Class, Groups>,
    total: u64,
    left_out: BTreeMap<EventKind, u64>,
}

/// The whole log.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) events: Vec<TraceEvent>,
    /// How many things happened.
    pub(super) total: u64,
    /// How many of them are not among the events.
    pub(super) left_out: BTreeMap<EventKind, u64>,
}

impl Log {
    pub(super) fn add(&mut self, mut event: TraceEvent) {
        self.total += 1;
        event.what = short(&event.what);
        let places = self.known.get(&(event.kind, event.what.clone()));
        let places = places.map_or(&[][..], Vec::as_slice);
        let mut at = self.same(places, &event);
        if at.is_none() && places.len() >= PLACES {
            (event.file, event.line) = (None, None);
            at = self.same(places, &event);
        }
        match at.and_then(|at| self.events.get_mut(&at)) {
            Some(known) => known.count = known.count.saturating_add(1),
            None => self.insert(event),
        }
    }

    /// Adds what is told only if nothing else is said of the same file: a copy that keeps the times is one write.
    pub(super) fn touch(&mut self, event: TraceEvent) {
        let key = (event.kind, short(&event.what));
        if !self.known.contains_key(&key) {
            self.add(event);
        }
    }

    pub(super) fn finish(self) -> Told {
        Told {
            events: self.events.into_values().collect(),
            total: self.total,
            left_out: self.left_out,
        }
    }

    /// The one of these that is the same act at the same place.
    fn same(&self, these: &[u64], event: &TraceEvent) -> Option<u64> {
        let place = |one: &TraceEvent| (one.line, one.verdict, one.seen);
        let same = |other: &TraceEvent| place(other) == place(event) && other.file == event.file;
        let mut these = these.iter().copied();
        these.find(|at| self.events.get(at).is_some_and(same))
    }

    fn insert(&mut self, event: TraceEvent) {
        let (at, class) = (self.next, class(&event));
        self.next += 1;
        let groups = self.classes.entry(class).or_default();
        groups.entry(group(&event).to_owned()).or_default().push(at);
        let victim = (groups.values().map(Vec::len).sum::<usize>() > ROOM).then(|| victim(groups));
        let key = (event.kind, event.what.clone());
        self.known.entry(key).or_default().push(at);
        self.events.insert(at, event);
        if let Some(victim) = victim {
            self.leave_out(class, victim);
        }
    }

    fn leave_out(&mut self, class: Class, at: u64) {
        let Some(event) = self.events.remove(&at) else {
            return;
        };
        *self.left_out.entry(event.kind).or_default() += u64::from(event.count);
        let groups = self.classes.entry(class).or_default();
        let name = group(&event);
        if let Some(members) = groups.get_mut(name) {
            members.retain(|one| *one != at);
            if members.is_empty() {
                groups.remove(name);
            }
        }
        let key = (event.kind, event.what);
        if let Some(places) = self.known.get_mut(&key) {
            places.retain(|one| *one != at);
            if places.is_empty() {
                self.known.remove(&key);
            }
        }
    }
}

fn class(event: &TraceEvent) -> Class {
    let both = matches!(
        event.kind,
        EventKind::Write | EventKind::Delete | EventKind::Network
    );
    (event.kind, both && event.verdict == TraceVerdict::Refused)
}

/// What an event has in common with those that a flood would consist of: the folder, the program, the host, the domain.
fn group(event: &TraceEvent) -> &str {
    let what = event.what.as_str();
    let before = |end: &str| what.split_once(end).map_or(what, |(before, _)| before);
    match event.kind {
        EventKind::Write | EventKind::Delete | EventKind::Secret => {
            let path = before(" ");
            path.rsplit_once('/').map_or(path, |(folder, _)| folder)
        }
        EventKind::Process => before(" "),
        EventKind::Network => what.rsplit_once(':').map_or(what, |(host, _)| host),
        EventKind::Name => {
            let mut dots = what.rmatch_indices('.').map(|(at, _)| at + 1);
            dots.nth(1).map_or(what, |at| &what[at..])
        }
        EventKind::Refused => before(":"),
    }
}

/// What a class that is too full gives up: something from the middle of its largest group, which keeps its first three
/// quarters as they came, and the latest beside them. Only where each event is a group of its own is the class taken as one.
/// Never the event that came last.
fn victim(groups: &Groups) -> u64 {
    // Groups of one size in an order that does not change.
    let largest = groups
        .iter()
        .max_by_key(|(name, members)| (members.len(), *name));
    let largest = largest.map_or(&[][..], |(_, members)| members);
    if largest.len() > 1 {
        return middle(largest);
    }
    let mut all: Vec<u64> = groups.values().flatten().copied().collect();
    all.sort_unstable();
    middle(&all)
}

/// The one behind the first three quarters; of two or more never the last.
fn middle(events: &[u64]) -> u64 {
    events[events.len().saturating_sub(1) * 3 / 4]
}

/// At most [`MAX_TEXT`] bytes, cut at a character.
pub(super) fn short(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use saferun_frames::Seen;

    use super::*;

    const FLOOD: u64 = 100_000;

    fn event(kind: EventKind, what: &str) -> TraceEvent {
        TraceEvent {
            at_us: 0,
            kind,
            call: "x".to_owned(),
            what: what.to_owned(),
            verdict: TraceVerdict::Allowed,
            pid: 1,
            count: 1,
            file: None,
            line: None,
            seen: Seen::Kernel,
        }
    }

    fn refused(kind: EventKind, what: &str) -> TraceEvent {
        let mut event = event(kind, what);
        event.verdict = TraceVerdict::Refused;
        event
    }

    fn find<'told>(told: &'told Told, what: &str) -> Option<&'told TraceEvent> {
        told.events.iter().find(|event| event.what == what)
    }

    /// Nothing is both told and left out, or neither.
    fn balanced(told: &Told) {
        let counted: u64 = told.events.iter().map(|one| u64::from(one.count)).sum();
        let left_out: u64 = told.left_out.values().sum();
        assert_eq!(counted + left_out, told.total);
        assert!(told.events.len() <= MAX_EVENTS);
    }

    #[test]
    fn a_flood_is_counted_and_hides_nothing_of_another_kind() {
        let mut log = Log::default();
        for index in 0..FLOOD {
            log.add(event(EventKind::Write, &format!("/tmp/{index}")));
            log.add(event(EventKind::Delete, "/tmp/same"));
        }
        log.add(event(EventKind::Network, &"ü".repeat(MAX_TEXT)));
        for path in ["/tmp/same", "/tmp/0", "/tmp/99999"] {
            log.touch(event(EventKind::Delete, path));
        }
        let told = log.finish();
        balanced(&told);
        assert_eq!(told.total, 2 * FLOOD + 3);
        let left_out = BTreeMap::from([(EventKind::Write, FLOOD - ROOM as u64)]);
        assert_eq!(told.left_out, left_out);
        assert_eq!(u64::from(find(&told, "/tmp/same").unwrap().count), FLOOD);
        let network = told
            .events
            .iter()
            .find(|one| one.kind == EventKind::Network);
        assert_eq!(network.expect("the network event").what.len(), MAX_TEXT);
    }

    #[test]
    fn a_flood_of_one_kind_hides_no_act_of_that_kind_elsewhere_whenever_it_comes() {
        for (kind, harmless, act) in [
            (EventKind::Write, "/tmp/d/N", "/home/sandbox/.bashrc"),
            (
                EventKind::Delete,
                "/tmp/N to /tmp/x",
                "/workspace/thesis.tex",
            ),
            (
                EventKind::Secret,
                "/tmp/N.pem",
                "/home/sandbox/.ssh/id_rsa (called /tmp/a)",
            ),
            (
                EventKind::Process,
                "/bin/true N",
                "/bin/sh -c rm -rf /workspace",
            ),
            (EventKind::Network, "127.0.0.1:N", "192.0.2.1:443"),
            (EventKind::Name, "N.example.org", "paste.example.com"),
            (
                EventKind::Refused,
                "setgroups: to groups N",
                "setuid: to become root",
            ),
        ] {
            for before in [0, 150, 2_000] {
                let mut log = Log::default();
                for index in 0..4_000 {
                    if index == before {
                        log.add(event(kind, act));
                    }
                    log.add(event(kind, &harmless.replace('N', &index.to_string())));
                }
                let told = log.finish();
                balanced(&told);
                assert!(find(&told, act).is_some(), "{act} after {before}");
                for number in ["0", "3999"] {
                    let ends = harmless.replace('N', number);
                    assert!(find(&told, &ends).is_some(), "{ends}");
                }
                assert_eq!(told.left_out, BTreeMap::from([(kind, 4_001 - ROOM as u64)]));
            }
        }
    }

    #[test]
    fn a_flood_over_many_groups_hides_nothing_that_stands_alone_whenever_it_comes() {
        // What a locker does to a project, a scan of hosts does to ports: few of each, and many of them.
        for (kind, harmless, act) in [
            (
                EventKind::Write,
                "/workspace/G/N.locked",
                "/home/sandbox/.bashrc",
            ),
            (EventKind::Delete, "/workspace/G/N", "/home/sandbox/.bashrc"),
            (EventKind::Network, "10.0.0.G:N", "192.0.2.1:443"),
            (EventKind::Name, "N.dG.org", "paste.example.com"),
            (EventKind::Process, "/bin/G N", "/bin/sh -c rm -rf /"),
        ] {
            for (groups, each) in [(51, 4), (60, 50), (199, 2), (199, 10)] {
                for one_by_one in [true, false] {
                    let total = groups * each;
                    for before in [0, 150, total / 2, total - 1] {
                        let mut log = Log::default();
                        for index in 0..total {
                            if index == before {
                                log.add(event(kind, act));
                            }
                            let (group, number) = if one_by_one {
                                (index % groups, index / groups)
                            } else {
                                (index / each, index % each)
                            };
                            let what = harmless.replace('G', &group.to_string());
                            log.add(event(kind, &what.replace('N', &number.to_string())));
                        }
                        let told = log.finish();
                        balanced(&told);
                        assert_eq!(told.events.len(), ROOM);
                        let case = format!("{groups} of {each}, {one_by_one}");
                        assert!(find(&told, act).is_some(), "{act} after {before}: {case}");
                        let mut left: Vec<&str> = told.events.iter().map(group).collect();
                        left.sort_unstable();
                        left.dedup();
                        assert_eq!(left.len(), groups + 1, "each group is told: {case}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_refused_and_what_was_let_through_take_no_room_from_each_other() {
        for kind in [EventKind::Write, EventKind::Delete, EventKind::Network] {
            let mut log = Log::default();
            log.add(refused(kind, "/etc/first"));
            // Each in a folder of its own: one as good as another.
            for index in 0..20_000 {
                log.add(event(kind, &format!("/tmp/{index}/a:1")));
                if index == 10_000 {
                    log.add(refused(kind, "/etc/second"));
                }
            }
            let told = log.finish();
            balanced(&told);
            for act in [
                "/etc/first",
                "/etc/second",
                "/tmp/0/a:1",
                "/tmp/149/a:1",
                "/tmp/19999/a:1",
            ] {
                assert!(find(&told, act).is_some(), "{kind:?} {act}");
            }
            assert_eq!(find(&told, "/tmp/10000/a:1"), None);
        }
    }

    #[test]
    fn what_was_left_out_and_comes_again_is_counted_anew() {
        let mut log = Log::default();
        for index in (0..1000).chain(0..1000) {
            log.add(event(EventKind::Write, &format!("/tmp/{index}")));
        }
        let told = log.finish();
        balanced(&told);
        assert_eq!(find(&told, "/tmp/0").unwrap().count, 2);
        assert_eq!(find(&told, "/tmp/999").unwrap().count, 1);
    }

    #[test]
    fn each_line_of_the_same_act_is_told_and_beyond_a_bound_without_one() {
        let mut log = Log::default();
        let mut one = |line, verdict| {
            let mut event = event(EventKind::Network, "192.0.2.1:80");
            (event.file, event.line) = (Some("main.py".to_owned()), Some(line));
            event.verdict = verdict;
            log.add(event);
        };
        for line in [7, 12, 7] {
            one(line, TraceVerdict::Refused);
        }
        one(7, TraceVerdict::Allowed);
        for line in 20..1000 {
            one(line, TraceVerdict::Refused);
        }
        let told = log.finish();
        balanced(&told);
        let lines: Vec<_> = told
            .events
            .iter()
            .map(|one| (one.line, one.count, one.verdict == TraceVerdict::Refused))
            .collect();
        let first = [(Some(7), 2, true), (Some(12), 1, true), (Some(7), 1, false)];
        let further = (20..25).map(|line| (Some(line), 1, true));
        let last = (None, 975, true);
        let expected: Vec<_> = first.into_iter().chain(further).chain([last]).collect();
        assert_eq!(lines, expected);
        assert_eq!((told.total, told.left_out.len()), (984, 0));
        assert_eq!(told.events.last().expect("an event").file, None);
    }
}
