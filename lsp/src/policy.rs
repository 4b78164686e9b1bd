//! The policy that holds for a file, as far as this machine's files say: for hover and for what comments may silence.
//! The daemon decides on its own; this is what the editor shows before.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use saferun_policy::{Content, LayerKind, Policy, Source, load};
use saferun_policy_files::{Places, projects, read, variables};
use saferun_protocol::{PolicyLayers, PolicySetting, PolicyText};
use tokio::sync::Notify;

/// How long what was read is taken to hold.
const FRESH: Duration = Duration::from_secs(2);
/// Folders that are remembered.
const MAX_FOLDERS: usize = 256;

/// The policy of a folder, or why there is none.
pub(crate) type Answer = Result<Arc<Policy>, String>;

/// Reads policies, and remembers them for a short while.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    known: Mutex<HashMap<Key, (Instant, Answer)>>,
    /// What policy files come to may have changed.
    pub(crate) news: Notify,
}

type Key = (Option<PathBuf>, Option<String>);

impl Policies {
    /// The policy for files of a folder. Reads files: not for an async thread.
    pub(crate) fn of(&self, folder: Option<&Path>, preset: Option<&str>) -> Answer {
        let key = (folder.map(Path::to_owned), preset.map(str::to_owned));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, answer)) = known.get(&key)
            && when.elapsed() < FRESH
        {
            return answer.clone();
        }
        let answer = loaded(folder, preset);
        if known.len() >= MAX_FOLDERS {
            known.clear();
        }
        let before = known.insert(key, (Instant::now(), answer.clone()));
        let before = before.and_then(|(_, before)| before.err());
        if answer.as_ref().err() != before.as_ref() {
            self.news.notify_one();
        }
        answer
    }

    /// Forgets everything, because a policy file changed.
    pub(crate) fn forget(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
        self.news.notify_one();
    }
}

fn loaded(folder: Option<&Path>, preset: Option<&str>) -> Answer {
    let uid = nix::unistd::geteuid().as_raw();
    let places = Places::from_env().map_err(|error| error.to_string())?;
    let mut sources = Vec::new();
    sources
        .extend(read(LayerKind::System, &places.system, uid).map_err(|error| error.to_string())?);
    if let Some(path) = &places.user {
        sources.extend(read(LayerKind::User, path, uid).map_err(|error| error.to_string())?);
    }
    if let Some(folder) = folder {
        sources.extend(projects(folder, uid).map_err(|error| error.to_string())?);
    }
    sources.extend(variables(std::env::vars_os()));
    if let Some(name) = preset {
        sources.push(Source::flag("saferun.policy", "preset", name));
    }
    load(&sources)
        .map(|loaded| Arc::new(loaded.policy))
        .map_err(|wrong| wrong.to_string())
}

/// The layers that go with a run of a file in this folder: texts, never paths that the daemon would open. Reads files.
pub(crate) fn layers(folder: Option<&Path>) -> Result<PolicyLayers, String> {
    let uid = nix::unistd::geteuid().as_raw();
    let mut layers = PolicyLayers::default();
    if let Some(folder) = folder {
        let sources = projects(folder, uid).map_err(|error| {
            format!("{error}; a project's policy may tighten, so it is not passed over: mend or remove the file")
        })?;
        layers.project = sources.iter().filter_map(text).collect();
    }
    layers.settings = variables(std::env::vars_os())
        .iter()
        .filter_map(|source| match &source.content {
            Content::Setting { value, .. } => {
                Some(PolicySetting::new(source.name.clone(), value.clone()))
            }
            Content::Yaml(_) => None,
        })
        .collect();
    Ok(layers)
}

fn text(source: &Source) -> Option<PolicyText> {
    match &source.content {
        Content::Yaml(text) => Some(PolicyText::new(source.name.clone(), text.clone())),
        Content::Setting { .. } => None,
    }
}
