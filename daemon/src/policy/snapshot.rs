//! One state of the policy: the standing layers, what they come to, and what they come to together with the
//! layers of a request. Never changes; a run keeps the snapshot that it was admitted under.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use saferun_policy::{Diagnostic, Diagnostics, LayerKind, Loaded, Policy, Source, load};
use saferun_protocol::PolicyStatus;

/// Combinations of request layers whose policies are kept.
const CACHED: usize = 64;
/// Texts longer than this together, in bytes, are loaded each time.
const CACHED_TEXT: usize = 64 * 1024;

/// A policy with what the layers came to.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// What holds.
    pub(crate) policy: Policy,
    /// Lines that have no effect, and the like.
    pub(crate) warnings: Vec<String>,
    /// Hash of everything that it says.
    pub(crate) hash: String,
}

impl From<Loaded> for Resolved {
    fn from(loaded: Loaded) -> Self {
        Self {
            hash: loaded.policy.hash(),
            policy: loaded.policy,
            warnings: loaded
                .warnings
                .iter()
                .filter(|warning| !known_already(warning))
                .map(ToString::to_string)
                .collect(),
        }
    }
}

/// What `policy check` and the log say of a standing file's dormant key need not be said again at each run.
fn known_already(warning: &Diagnostic) -> bool {
    warning.code == "not-in-force"
        && matches!(warning.origin.layer, LayerKind::System | LayerKind::User)
}

/// One state of the policy.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The layers without a request's: system, user, environment.
    sources: Vec<Source>,
    standing: Arc<Resolved>,
    /// Warnings about the standing layers; they are in the log, and no business of each run.
    warnings: Vec<String>,
    /// Why nothing may run: the files were never sound since the start.
    pub(crate) blocked: Option<String>,
    /// What is wrong with the files now, for people.
    pub(crate) problems: Vec<String>,
    /// Counts changes of the policy since the start, from 1.
    pub(crate) generation: u64,
    cache: Mutex<HashMap<String, Arc<Resolved>>>,
}

impl Snapshot {
    /// A sound state.
    pub(crate) fn new(
        sources: Vec<Source>,
        loaded: Loaded,
        problems: Vec<String>,
        generation: u64,
    ) -> Self {
        let mut standing = Resolved::from(loaded);
        let warnings = std::mem::take(&mut standing.warnings);
        Self {
            sources,
            standing: Arc::new(standing),
            warnings,
            blocked: None,
            problems,
            generation,
            cache: Mutex::default(),
        }
    }

    /// The state when nothing sound was ever read: nothing runs, and what needs a policy gets the strict preset.
    pub(crate) fn blocked(why: String, problems: Vec<String>, generation: u64) -> Self {
        let strict = Source::flag("the policy is not sound", "preset", "strict");
        let loaded = load(&[strict]);
        // The shipped presets are sound (tested), so this is never the empty list.
        let loaded = loaded.or_else(|_| load(&[]));
        let loaded = loaded.unwrap_or_else(|_| unreachable!("the shipped presets are sound"));
        Self {
            blocked: Some(why),
            ..Self::new(Vec::new(), loaded, problems, generation)
        }
    }

    /// The same policy with other problems.
    pub(crate) fn with_problems(&self, problems: Vec<String>) -> Self {
        Self {
            sources: self.sources.clone(),
            standing: Arc::clone(&self.standing),
            warnings: self.warnings.clone(),
            blocked: self.blocked.clone(),
            problems,
            generation: self.generation,
            cache: Mutex::default(),
        }
    }

    /// The policy of the standing layers.
    pub(crate) fn policy(&self) -> &Policy {
        &self.standing.policy
    }

    /// The state on the wire.
    pub(crate) fn status(&self) -> PolicyStatus {
        let mut status = PolicyStatus::default();
        status.name.clone_from(&self.policy().name);
        status.hash.clone_from(&self.standing.hash);
        status.layers = std::iter::once(format!("preset {}", self.policy().name))
            .chain(
                self.layers()
                    .map(|source| format!("{} {}", source.layer, source.name)),
            )
            .collect();
        status.generation = self.generation;
        status.problems.clone_from(&self.problems);
        status.blocked = self.blocked.is_some();
        status
    }

    /// The standing layers' texts, first applied first.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    /// The policy of the standing layers together with these.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn with(&self, added: &[Source]) -> Result<Arc<Resolved>, Diagnostics> {
        if added.is_empty() {
            return Ok(Arc::clone(&self.standing));
        }
        // The texts themselves are the key: nothing that hashes alike may share a policy.
        let key = format!("{added:?}");
        if let Some(known) = self.cached().get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut sources = self.sources.clone();
        sources.extend_from_slice(added);
        let mut resolved = Resolved::from(load(&sources)?);
        resolved
            .warnings
            .retain(|warning| !self.warnings.contains(warning));
        let resolved = Arc::new(resolved);
        if key.len() > CACHED_TEXT {
            return Ok(resolved);
        }
        let mut cache = self.cached();
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(key, Arc::clone(&resolved));
        Ok(resolved)
    }

    // A panic cannot leave the map half changed: each use is one operation.
    fn cached(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Resolved>>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
