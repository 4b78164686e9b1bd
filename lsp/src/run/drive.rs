//! One run from the wish to its marks: what is sent, the override, the end. How a daemon is spoken with is in `converse`.

use std::{path::PathBuf, sync::Arc};

use saferun_policy::{ClientKind as PolicyClient, DecisionRequest, Verdict};
use saferun_protocol::{ClientKind, MAX_REQUEST_BYTES, Outcome, RunRequest};
use tokio_util::sync::CancellationToken;
use tower_lsp_server::ls_types::Uri;

use super::{Wish, converse::Ended, marks, source, tell};
use crate::{
    document::{Kind, MAX_BYTES},
    notebook, policy,
    state::{Shared, folder_of, name_of},
    text::one_line,
};

/// A run that was asked for.
pub(super) struct Run {
    pub(super) shared: Arc<Shared>,
    pub(super) token: String,
    pub(super) cancel: CancellationToken,
    pub(super) wish: Wish,
}

impl Run {
    pub(super) async fn drive(self) {
        let name = name_of(&self.wish.uri);
        let title = format!("SafeRun: {}", one_line(&name));
        let bar = tell::started(&self.shared, &self.token, &self.wish.uri, &title).await;
        let file_name = if std::path::Path::new(&name)
            .extension()
            .is_some_and(|it| it == "py")
        {
            name
        } else {
            "main.py".to_owned()
        };
        let came = self.attempts(&file_name).await;
        bar.end(match &came {
            Ok((ended, _)) => &ended.result.message,
            Err(why) => why,
        });
        match came {
            Ok((ended, ran)) => self.finish(ended, ran, &file_name).await,
            Err(why) => tell::finished(&self.shared, &self.token, &self.wish.uri, Err(&why)).await,
        }
    }

    /// The run, and once more with a reason where a person gives one.
    /// Also gives the code that ran, and the lines of other cells above it.
    async fn attempts(&self, file_name: &str) -> Result<(Ended, (String, u32)), String> {
        let (text, above) = self.text().await?;
        let mut request = self.request(file_name, text).await?;
        let mut asked = false;
        if self.wish.with_override && request.override_reason.is_none() {
            asked = true;
            let why = "Running this needs a reason.";
            self.ask(&mut request, why).await?;
        }
        loop {
            let ended = self.attempt(&request).await?;
            let refused = ended.result.status == Outcome::Blocked;
            if !refused || asked || request.override_reason.is_some() {
                return Ok((ended, (request.source, above)));
            }
            asked = true;
            if !self.could_be_overridden(&request).await
                || self.ask(&mut request, &ended.result.message).await.is_err()
            {
                return Ok((ended, (request.source, above)));
            }
        }
    }

    async fn ask(&self, request: &mut RunRequest, why: &str) -> Result<(), String> {
        let reason = tokio::select! {
            reason = tell::reason(&self.shared, why) => reason,
            () = self.cancel.cancelled() => None,
        };
        let reason = reason.ok_or_else(|| "Not run: no reason was given.".to_owned())?;
        request.override_reason = Some(reason);
        request.person_present = true;
        Ok(())
    }

    /// What is sent: contents, never a path.
    async fn request(&self, file_name: &str, text: String) -> Result<RunRequest, String> {
        let settings = self.shared.settings();
        let folder = folder_of(&self.shared.file_of(&self.wish.uri));
        let layers = blocking(move || policy::layers(folder.as_deref())).await??;
        let mut request = RunRequest::new(text);
        request.file_name = Some(file_name.to_owned());
        request.policy = settings.policy;
        request.policy_layers = layers;
        request.limits.time_ms = settings.timeout_ms;
        request.limits.memory_bytes = settings.memory_bytes;
        request.client = ClientKind::Editor;
        request.effects = true;
        // What it leaves in /out is for views that can show it.
        request.artifacts = self.shared.client_can().events;
        request.trace = settings.trace;
        if let Some(reason) = &self.wish.override_reason {
            request.override_reason = Some(reason.clone());
            request.person_present = true;
        }
        let size = serde_json::to_string(&request).map_or(usize::MAX, |text| text.len() + 512);
        if size > MAX_REQUEST_BYTES as usize {
            return Err(format!(
                "the code is too large: {size} bytes of at most {MAX_REQUEST_BYTES}"
            ));
        }
        Ok(request)
    }

    /// The code, and how many lines of other cells stand above it.
    async fn text(&self) -> Result<(String, u32), String> {
        let (uri, range) = (self.wish.uri.clone(), self.wish.range);
        let encoding = self.shared.encoding();
        let open = self.shared.with_open(&uri, |open| {
            (open.kind, open.notebook.clone(), open.text.clone())
        });
        let shared = Arc::clone(&self.shared);
        blocking(move || match open {
            Some((_, Some(notebook), text)) => {
                let above = notebook::above(&shared, &notebook, &uri);
                source::of_cell(&above, &text, range, encoding)
            }
            Some((kind, None, text)) => source::of(kind, &text, range, encoding).map(|it| (it, 0)),
            None => {
                let (kind, text) = read(&uri)?;
                source::of(kind, &text, range, encoding).map(|it| (it, 0))
            }
        })
        .await?
    }

    /// Whether a reason could make it run, as far as this machine's policy files say.
    async fn could_be_overridden(&self, request: &RunRequest) -> bool {
        let text = request.source.clone();
        let shared = Arc::clone(&self.shared);
        let uri = self.wish.uri.clone();
        let decided = blocking(move || {
            let policy = shared.policy_of(&uri).ok()?;
            let options = saferun_scanner::Options {
                honour_suppressions: policy.honour_suppressions,
                ..saferun_scanner::Options::default()
            };
            let report =
                saferun_guard::on_a_thread(move || saferun_scanner::scan(&text, &options)).ok()?;
            let request = DecisionRequest {
                client: PolicyClient::Editor,
                gvisor_available: true,
                ..DecisionRequest::default()
            };
            let decision = policy.decide(&report, &request);
            Some(decision.overridable || decision.verdict == Verdict::NeedsOverride)
        });
        matches!(decided.await, Ok(Some(true)))
    }

    async fn finish(&self, mut ended: Ended, (source, above): (String, u32), file_name: &str) {
        self.shared.with_open(&self.wish.uri, |open| {
            let ran = (source.as_str(), above);
            open.marks = marks::of(&ended.result, &ended.stderr, file_name, ran, &open.text);
        });
        self.shared.found(&self.wish.uri).await;
        self.shared.refresh();
        marks::move_up(&mut ended.result, above);
        let shared = Arc::clone(&self.shared);
        let Ended {
            result,
            stdout,
            stderr,
        } = ended;
        let account = result.clone();
        let report = blocking(move || shared.reports.write(&account, &stdout, &stderr)).await;
        let report = report.ok().and_then(Result::ok);
        self.shared.runs.remember(serde_json::json!({
            "id": result.id,
            "uri": self.wish.uri.as_str(),
            "name": file_name,
            "status": result.status,
            "exitCode": result.exit_code,
            "risk": result.risk,
            "message": one_line(&result.message),
            "wallMs": result.usage.wall_ms,
            "report": report,
        }));
        tell::finished(
            &self.shared,
            &self.token,
            &self.wish.uri,
            Ok((&result, report)),
        )
        .await;
    }
}

/// A file that is not open in the editor.
fn read(uri: &Uri) -> Result<(Kind, String), String> {
    let path = uri
        .to_file_path()
        .filter(|path| path.is_absolute() && uri.scheme().as_str() == "file")
        .map(PathBuf::from)
        .ok_or_else(|| "open the file first: it is not on this disk".to_owned())?;
    let shown = path.display().to_string();
    let meta = std::fs::metadata(&path).map_err(|error| format!("{shown}: {error}"))?;
    if !meta.is_file() || meta.len() > MAX_BYTES as u64 {
        return Err(format!("{shown} is no file of at most {MAX_BYTES} bytes"));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
    Ok((Kind::of("", &shown).unwrap_or(Kind::Python), text))
}

pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(job)
        .await
        .map_err(|_| "a fault in saferun-lsp: see its log".to_owned())
}
