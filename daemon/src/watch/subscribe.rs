//! What one subscriber is told: the boards of its roots, filtered, in order. Reads no file.

use std::{collections::HashSet, sync::Arc};

use saferun_protocol::{HostPath, Risk, WatchEvent};
use tokio::sync::mpsc;

use super::{Lease, board::Next};

/// Items taken from a board at a time.
const BATCH: usize = 64;
/// Items of all roots together that wait for the subscriber.
const QUEUE: usize = 64;

/// A subscriber's roots and wishes.
pub(crate) struct Subscription {
    leases: Vec<Lease>,
    only_generated: bool,
    least: Option<Risk>,
}

impl Subscription {
    pub(super) fn new(leases: Vec<Lease>, only_generated: bool, least: Option<Risk>) -> Self {
        Self {
            leases,
            only_generated,
            least,
        }
    }

    /// Starts to tell. Dropping the receiver ends the watch.
    pub(crate) fn start(self) -> mpsc::Receiver<Arc<WatchEvent>> {
        let (send, receive) = mpsc::channel(QUEUE);
        for lease in self.leases {
            let filter = Filter {
                only_generated: self.only_generated,
                least: self.least,
                shown: HashSet::new(),
            };
            tokio::spawn(tell(lease, filter, send.clone()));
        }
        receive
    }
}

async fn tell(lease: Lease, mut filter: Filter, send: mpsc::Sender<Arc<WatchEvent>>) {
    let mut bell = lease.shared.bell.subscribe();
    let mut cursor = lease.shared.board().cursor();
    let root = HostPath::from(lease.shared.path.as_path());
    loop {
        bell.borrow_and_update();
        let next = lease.shared.board().next(&mut cursor, BATCH);
        let items = match next {
            Next::Items(items) => items,
            Next::Resync => {
                filter.shown.clear();
                vec![Arc::new(WatchEvent::Resync { root: root.clone() })]
            }
            Next::Nothing => {
                tokio::select! {
                    changed = bell.changed() => if changed.is_err() { return },
                    () = send.closed() => return,
                }
                continue;
            }
        };
        for item in items {
            if let Some(item) = filter.pass(item)
                && send.send(item).await.is_err()
            {
                return;
            }
        }
    }
}

/// Which files a subscriber is told of.
struct Filter {
    only_generated: bool,
    least: Option<Risk>,
    shown: HashSet<HostPath>,
}

impl Filter {
    fn pass(&mut self, item: Arc<WatchEvent>) -> Option<Arc<WatchEvent>> {
        match &*item {
            WatchEvent::File(file) => {
                let wanted = (file.generated.is_some() || !self.only_generated)
                    && self.least.is_none_or(|least| file.risk >= least);
                if wanted {
                    self.shown.insert(file.file.clone());
                    return Some(item);
                }
                // It was told of, and is not to be told of any more.
                self.shown.remove(&file.file).then(|| {
                    Arc::new(WatchEvent::Cleared {
                        root: file.root.clone(),
                        file: file.file.clone(),
                    })
                })
            }
            WatchEvent::Cleared { file, .. } => self.shown.remove(file).then_some(item),
            _ => Some(item),
        }
    }
}
