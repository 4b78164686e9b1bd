//! Runs of the editor: started by a command that returns at once, told of as they go, cancelled, and their results
//! brought back to the lines of the code.

mod converse;
mod drive;
pub(crate) mod history;
mod marks;
mod report;
mod source;
mod tell;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tower_lsp_server::ls_types::{Range, Uri};

use crate::state::Shared;

pub(crate) use marks::{About, Mark};
pub(crate) use report::Reports;
pub(crate) use source::fences;

/// Runs that are remembered for the history of this editor.
const REMEMBERED: usize = 100;
/// Runs of one editor at the same time.
const MOST: usize = 8;

/// What is to be run.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wish {
    /// The file.
    pub(crate) uri: Uri,
    /// A part of it: a selection, or a place in a fenced block.
    #[serde(default)]
    pub(crate) range: Option<Range>,
    /// Whether to ask for a reason first.
    #[serde(default, rename = "override")]
    pub(crate) with_override: bool,
    /// The reason, where the plugin has asked already.
    #[serde(default)]
    pub(crate) override_reason: Option<String>,
}

/// The runs under way.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    under_way: HashMap<String, CancellationToken>,
    /// Accounts of runs that are over, the newest last.
    over: VecDeque<serde_json::Value>,
}

impl Runs {
    fn add(&self) -> Result<(String, CancellationToken), String> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.under_way.len() >= MOST {
            return Err(format!(
                "{MOST} runs are under way: wait for one to end, or cancel one"
            ));
        }
        inner.last += 1;
        let token = format!("saferun-{}", inner.last);
        let cancel = CancellationToken::new();
        inner.under_way.insert(token.clone(), cancel.clone());
        Ok((token, cancel))
    }

    fn remove(&self, token: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.under_way.remove(token);
    }

    fn remember(&self, account: serde_json::Value) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.over.len() >= REMEMBERED {
            inner.over.pop_front();
        }
        inner.over.push_back(account);
    }

    /// The runs of this editor that are over, the newest first.
    pub(crate) fn history(&self) -> Vec<serde_json::Value> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.over.iter().rev().cloned().collect()
    }

    /// Cancels one run, or all of them; says how many there were.
    pub(crate) fn cancel(&self, token: Option<&str>) -> usize {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = inner
            .under_way
            .iter()
            .filter(|(name, _)| token.is_none_or(|token| token == name.as_str()));
        chosen.map(|(_, cancel)| cancel.cancel()).count()
    }
}

/// Starts a run and returns its token; everything else is told of by notifications.
pub(crate) fn start(shared: &Arc<Shared>, wish: Wish) -> Result<String, String> {
    let (token, cancel) = shared.runs.add()?;
    let run = drive::Run {
        shared: Arc::clone(shared),
        token: token.clone(),
        cancel,
        wish,
    };
    tokio::spawn(async move {
        let shared = Arc::clone(&run.shared);
        let token = run.token.clone();
        run.drive().await;
        shared.runs.remove(&token);
    });
    Ok(token)
}
