//! Whether a model wrote a file: by the policy's path patterns and markers, or because an agent's hook
//! said so.

use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use saferun_protocol::Generated;

use super::rules::NamedGlobs;

/// Most announced files that are remembered; the oldest announcement is forgotten first.
const MAX_REMEMBERED: usize = 10_000;

/// What is known of where files come from.
#[derive(Debug, Default)]
pub(super) struct Provenance {
    globs: NamedGlobs,
    announced: Arc<Mutex<Announced>>,
}

#[derive(Debug, Default)]
struct Announced {
    tools: HashMap<PathBuf, String>,
    order: VecDeque<PathBuf>,
}

impl Provenance {
    /// With these globs of the policy, and all that was announced.
    pub(super) fn under(&self, globs: &[String]) -> Self {
        Self {
            globs: NamedGlobs::new(globs),
            announced: Arc::clone(&self.announced),
        }
    }

    /// A tool says that it wrote a file.
    pub(super) fn announce(&self, file: &Path, tool: &str) {
        let mut announced = self
            .announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = announced.tools.insert(file.to_owned(), tool.to_owned());
        if known.is_none() {
            announced.order.push_back(file.to_owned());
        }
        if announced.order.len() > MAX_REMEMBERED
            && let Some(oldest) = announced.order.pop_front()
        {
            announced.tools.remove(&oldest);
        }
    }

    /// Why a file counts as written by a model, if it does.
    pub(super) fn of(
        &self,
        relative: &Path,
        absolute: &Path,
        marker: Option<&str>,
    ) -> Option<Generated> {
        let announced = self
            .announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(tool) = announced.tools.get(absolute) {
            return Some(Generated::Announced { tool: tool.clone() });
        }
        if let Some(glob) = self.globs.matching(relative) {
            return Some(Generated::Path {
                glob: glob.to_owned(),
            });
        }
        marker.map(|marker| Generated::Marker {
            marker: marker.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcer_is_named_and_old_announcements_are_forgotten() {
        let provenance = Provenance::default().under(&["gen/**".to_owned()]);
        let of = |path: &str| provenance.of(Path::new(path), &Path::new("/w").join(path), None);
        provenance.announce(Path::new("/w/gen/a.py"), "agent");
        assert!(matches!(of("gen/a.py"), Some(Generated::Announced { tool }) if tool == "agent"));
        assert!(matches!(of("gen/b.py"), Some(Generated::Path { glob }) if glob == "gen/**"));
        assert_eq!(of("c.py"), None);
        for number in 0..MAX_REMEMBERED {
            provenance.announce(&PathBuf::from(format!("/w/{number}.py")), "agent");
        }
        assert!(matches!(of("gen/a.py"), Some(Generated::Path { .. })));
    }
}
