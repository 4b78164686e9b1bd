//! Whether a model wrote a file: by the policy's path patterns, folders and markers, or because an agent's hook
//! said so. What git says of it is in `commits`.

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
    /// As the policy names it, and without links in it.
    folders: Vec<(String, PathBuf)>,
    announced: Arc<Mutex<Announced>>,
}

#[derive(Debug, Default)]
struct Announced {
    tools: HashMap<PathBuf, String>,
    order: VecDeque<PathBuf>,
}

impl Provenance {
    /// With these globs and folders of the policy, and all that was announced. Looks at the folders once, for links.
    pub(super) fn under(&self, globs: &[String], folders: &[String]) -> Self {
        let plain = |folder: &String| (folder.clone(), without_links(Path::new(folder)));
        Self {
            globs: NamedGlobs::new(globs),
            folders: folders.iter().map(plain).collect(),
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
        let mut folders = self.folders.iter();
        if let Some((folder, _)) = folders.find(|(_, plain)| absolute.starts_with(plain)) {
            return Some(Generated::Folder {
                folder: folder.clone(),
            });
        }
        marker.map(|marker| Generated::Marker {
            marker: marker.to_owned(),
        })
    }
}

/// A path whose links are followed as far as it is there.
fn without_links(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| {
        let rest = path.strip_prefix(above).ok()?;
        Some(above.canonicalize().ok()?.join(rest))
    });
    there.unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcer_is_named_and_old_announcements_are_forgotten() {
        let provenance = Provenance::default().under(&["gen/**".to_owned()], &[]);
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

    #[test]
    fn a_tools_folder_is_known_by_any_name_before_it_is_there_and_no_neighbour_is_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().canonicalize().unwrap();
        std::fs::create_dir(place.join("real")).unwrap();
        std::os::unix::fs::symlink("real", place.join("link")).unwrap();
        let named = place.join("link/tool").display().to_string();
        let provenance = Provenance::default().under(&[], std::slice::from_ref(&named));
        let of = |path: &str| provenance.of(Path::new(path), &place.join(path), None);
        for inside in ["real/tool/a.py", "real/tool/deep/b.py"] {
            assert_eq!(
                of(inside),
                Some(Generated::Folder {
                    folder: named.clone()
                })
            );
        }
        for beside in ["real/a.py", "real/tools/a.py", "a.py"] {
            assert_eq!(of(beside), None, "{beside}");
        }
    }
}
