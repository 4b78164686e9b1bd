//! What a watch has been told, put together: the newest word on each file and root. Pure.

use std::collections::BTreeMap;

use saferun_protocol::{HostPath, WatchEvent, WatchRoot, WatchedFile};

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) roots: BTreeMap<HostPath, WatchRoot>,
    pub(super) files: BTreeMap<HostPath, WatchedFile>,
    /// The newest notice, with its advice.
    pub(super) notice: Option<(String, String)>,
}

impl State {
    /// Takes an event in.
    pub(super) fn take(&mut self, event: &WatchEvent) {
        match event {
            WatchEvent::Root(root) | WatchEvent::Ready(root) => {
                self.roots.insert(root.root.clone(), root.clone());
            }
            WatchEvent::Progress {
                root,
                files,
                folders,
            } => {
                if let Some(known) = self.roots.get_mut(root) {
                    (known.files, known.folders) = (*files, *folders);
                }
            }
            WatchEvent::File(file) => {
                self.files.insert(file.file.clone(), (**file).clone());
            }
            WatchEvent::Cleared { file, .. } => {
                self.files.remove(file);
            }
            WatchEvent::Notice {
                message, advice, ..
            } => self.notice = Some((message.clone(), advice.clone())),
            WatchEvent::Resync { root } => self.files.retain(|_, file| file.root != *root),
            // A later daemon may tell more.
            _ => {}
        }
    }
}
