//! What a run left behind, as the sandbox tells it: hostile until each path, size, number and hash is checked. Pure.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_frames::{
    self as frames, Account, Budget, Collected, MAX_CHANGES, MAX_EVENTS, MAX_NOTES, MAX_TEXT,
    TraceEnd, TraceEvent, check_path,
};
use saferun_protocol::{
    Artifact, Change, ChangeKind, Effects, EntryState, EntryType, LeftBehind, Place, Trace,
};

use super::service::code_hash;

/// Why nothing is known of `/out` where the sandbox ended before it could tell.
const NO_ACCOUNT: &str =
    "nothing came back of /out: the sandbox ended before its files could be handed back";

/// Longest note, in characters.
const NOTE: usize = 300;

/// What has come of it so far.
pub(super) struct Gather {
    account: Account,
    /// Content that may still come, of changes and of artifacts.
    unspent: [u64; 2],
    artifacts_left: u32,
    seen: HashSet<(frames::Place, String)>,
    changes: Vec<(frames::Change, Vec<u8>)>,
    /// Bytes of the last change's content that are still to come.
    missing: u64,
    events: Vec<TraceEvent>,
}

/// What a run left behind.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) effects: Option<Effects>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) left_behind: Option<LeftBehind>,
    pub(super) trace: Option<Trace>,
    /// Things in `/out` that are no files.
    pub(super) advice: Vec<String>,
}

impl Gathered {
    /// As long as the sandbox has told nothing.
    pub(super) fn nothing(account: Account) -> Self {
        let wanted = account.artifacts.is_some();
        Self {
            left_behind: wanted.then(|| LeftBehind::unknown(NO_ACCOUNT)),
            ..Self::default()
        }
    }
}

impl Gather {
    pub(super) fn new(account: Account) -> Self {
        let bytes = |budget: Option<Budget>| budget.map_or(0, |budget| budget.bytes);
        Self {
            unspent: [bytes(account.changes), bytes(account.artifacts)],
            artifacts_left: account.artifacts.map_or(0, |budget| budget.entries),
            account,
            seen: HashSet::new(),
            changes: Vec::new(),
            missing: 0,
            events: Vec::new(),
        }
    }

    /// Takes a change. An error means that the sandbox broke the rules.
    pub(super) fn change(&mut self, change: frames::Change) -> Result<(), String> {
        self.whole()?;
        let wanted = match change.place {
            frames::Place::Out => self.account.artifacts.is_some(),
            frames::Place::Workspace | frames::Place::Home => self.account.changes.is_some(),
        };
        if !wanted || self.changes.len() >= MAX_CHANGES {
            return Err("it told of more changes than it may".to_owned());
        }
        check_path(&change.path).map_err(|error| format!("a change's path is wrong: {error}"))?;
        if !self.seen.insert((change.place, change.path.clone())) {
            return Err("it told of a path twice".to_owned());
        }
        let sides = (change.before.is_some(), change.after.is_some());
        let fits = match change.kind {
            frames::ChangeKind::Created => sides == (false, true),
            frames::ChangeKind::Modified => sides == (true, true),
            frames::ChangeKind::Deleted => sides == (true, false),
        };
        if !fits || !change.before.iter().chain(&change.after).all(sound) {
            return Err("it told of a change that cannot be".to_owned());
        }
        if change.place == frames::Place::Out {
            if change.kind != frames::ChangeKind::Created {
                return Err("it told of a change in /out, which was empty".to_owned());
            }
            if is_file(&change) {
                let left = self.artifacts_left.checked_sub(1);
                self.artifacts_left = left.ok_or("it told of more files than it may")?;
            }
        }
        if let Some(size) = change.content {
            let after = change.after.as_ref().filter(|after| after.size == size);
            let unspent = &mut self.unspent[usize::from(change.place == frames::Place::Out)];
            match unspent.checked_sub(size) {
                Some(rest) if after.is_some_and(|after| after.sha256.is_some()) => *unspent = rest,
                _ => return Err("it announced a content that cannot be".to_owned()),
            }
            self.missing = size;
        }
        self.changes.push((change, Vec::new()));
        // An empty content is whole at once.
        self.check_hash()
    }

    /// Takes a piece of the last change's content.
    pub(super) fn content(&mut self, bytes: &[u8]) -> Result<(), String> {
        let rest = self.missing.checked_sub(bytes.len() as u64);
        self.missing = rest.ok_or("it sent more of a file than announced")?;
        if let Some((_, content)) = self.changes.last_mut() {
            content.extend_from_slice(bytes);
        }
        self.check_hash()
    }

    /// Takes events of the trace.
    pub(super) fn trace(&mut self, events: Vec<TraceEvent>) -> Result<(), String> {
        if !self.account.trace || self.events.len() + events.len() > MAX_EVENTS {
            return Err("it told of more events than it may".to_owned());
        }
        let fits = |text: &str| text.len() <= MAX_TEXT;
        let sound = |event: &TraceEvent| {
            fits(&event.what) && fits(&event.call) && event.file.as_deref().is_none_or(fits)
        };
        if !events.iter().all(sound) {
            return Err("it told of an event that is too long".to_owned());
        }
        self.events.extend(events);
        Ok(())
    }

    fn check_hash(&self) -> Result<(), String> {
        let Some((change, content)) = self.changes.last() else {
            return Ok(());
        };
        if self.missing > 0 || change.content.is_none() {
            return Ok(());
        }
        let told = change
            .after
            .as_ref()
            .and_then(|after| after.sha256.as_deref());
        if told == Some(code_hash(content).as_str()) {
            return Ok(());
        }
        Err("a content is not what its hash says".to_owned())
    }

    fn whole(&self) -> Result<(), String> {
        match self.missing {
            0 => Ok(()),
            missing => Err(format!("{missing} bytes of a file are missing")),
        }
    }

    /// All of it, with the supervisor's word on how far it came.
    pub(super) fn finish(
        self,
        collected: Option<Collected>,
        traced: Option<TraceEnd>,
    ) -> Result<Gathered, String> {
        self.whole()?;
        let trace = traced.filter(|_| self.account.trace).map(|end| {
            let mut trace = Trace::default();
            trace.events = self.events;
            trace.unavailable = end.unavailable.map(|why| why.chars().take(NOTE).collect());
            (trace.total, trace.left_out) = (end.total, end.left_out);
            trace.left_out_by_kind = end.left_out_by_kind;
            trace
        });
        let mut gathered = Gathered {
            trace,
            ..Gathered::nothing(self.account)
        };
        let Some(collected) = collected else {
            return Ok(gathered);
        };
        let left = Some(collected.left_behind.bounded());
        let wanted = self.account.artifacts.is_some();
        gathered.left_behind = left.filter(|left| wanted && !left.is_nothing());
        let mut effects = Effects::default();
        effects.complete = collected.complete;
        let notes = collected.notes.iter().take(MAX_NOTES);
        effects.notes = notes
            .map(|note| note.chars().take(NOTE).collect())
            .collect();
        for (change, content) in self.changes {
            let content = change.content.map(|_| STANDARD.encode(content));
            if change.place == frames::Place::Out {
                gathered.out(&change, content);
            } else {
                effects.changes.push(wire(change, content));
            }
        }
        if self.account.changes.is_some() {
            gathered.effects = Some(effects);
        } else {
            gathered.advice.append(&mut effects.notes);
        }
        Ok(gathered)
    }
}

impl Gathered {
    fn out(&mut self, change: &frames::Change, content: Option<String>) {
        match &change.after {
            Some(after) if after.kind == frames::EntryType::File => {
                let mut artifact = Artifact::new(change.path.clone(), after.size);
                artifact.sha256.clone_from(&after.sha256);
                artifact.content_base64 = content;
                self.artifacts.push(artifact);
            }
            Some(after)
                if after.kind != frames::EntryType::Folder && self.advice.len() < MAX_NOTES =>
            {
                self.advice.push(format!(
                    "{:?} in /out is no regular file and stays where it is",
                    change.path
                ));
            }
            _ => {}
        }
    }
}

fn sound(entry: &frames::Entry) -> bool {
    let hex = |hash: &String| {
        hash.len() == 64
            && hash
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    let file = entry.kind == frames::EntryType::File;
    let link = entry.kind == frames::EntryType::Symlink;
    entry.mode <= 0o7777
        && entry.sha256.as_ref().is_none_or(|hash| file && hex(hash))
        && (file || entry.size == 0)
        && entry
            .target
            .as_ref()
            .is_none_or(|target| link && target.len() <= frames::MAX_PATH)
}

fn is_file(change: &frames::Change) -> bool {
    let after = change.after.as_ref();
    after.is_some_and(|after| after.kind == frames::EntryType::File)
}

fn wire(change: frames::Change, content: Option<String>) -> Change {
    let place = match change.place {
        frames::Place::Home => Place::Home,
        frames::Place::Workspace | frames::Place::Out => Place::Workspace,
    };
    let kind = match change.kind {
        frames::ChangeKind::Created => ChangeKind::Created,
        frames::ChangeKind::Modified => ChangeKind::Modified,
        frames::ChangeKind::Deleted => ChangeKind::Deleted,
    };
    let mut told = Change::new(place, change.path, kind);
    told.before = change.before.map(state);
    told.after = change.after.map(state);
    told.content_base64 = content;
    told
}

fn state(entry: frames::Entry) -> EntryState {
    let kind = match entry.kind {
        frames::EntryType::File => EntryType::File,
        frames::EntryType::Folder => EntryType::Folder,
        frames::EntryType::Symlink => EntryType::Symlink,
        frames::EntryType::Fifo => EntryType::Fifo,
        frames::EntryType::Socket => EntryType::Socket,
        frames::EntryType::Device => EntryType::Device,
    };
    let mut state = EntryState::new(kind, entry.mode, entry.size);
    state.sha256 = entry.sha256;
    state.target = entry.target;
    state
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
