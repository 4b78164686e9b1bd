//! One run from the wish to its marks: what is sent, the daemon's stream, the override, the end.

use std::{path::PathBuf, sync::Arc, time::Duration};

use saferun_policy::{ClientKind as PolicyClient, DecisionRequest, Verdict};
use saferun_protocol::{
    ApiClient, ClientKind, Event, MAX_REQUEST_BYTES, Outcome, OutputChunk, RunRequest, RunResult,
    Stream,
};
use tokio_util::sync::CancellationToken;

use super::{Mark, Wish, marks, source, tell};
use crate::{
    daemon,
    document::{Kind, MAX_BYTES},
    policy,
    state::{Shared, folder_of, name_of},
    text::one_line,
};

/// Output that is kept for the report, in bytes of each stream.
const KEPT_OUTPUT: usize = 1024 * 1024;
/// How long the daemon may take to tell of the end of a run that was cancelled.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A run that was asked for.
pub(super) struct Run {
    pub(super) shared: Arc<Shared>,
    pub(super) token: String,
    pub(super) cancel: CancellationToken,
    pub(super) wish: Wish,
}

/// What came of it.
struct Ended {
    result: Box<RunResult>,
    stdout: String,
    stderr: String,
}

impl Run {
    pub(super) async fn drive(self) {
        let name = name_of(&self.wish.uri);
        let title = format!("SafeRun: {}", one_line(&name));
        tell::started(&self.shared, &self.token, &self.wish.uri, &title).await;
        let file_name = if std::path::Path::new(&name)
            .extension()
            .is_some_and(|it| it == "py")
        {
            name
        } else {
            "main.py".to_owned()
        };
        match self.attempts(&file_name).await {
            Ok(ended) => self.finish(ended, &file_name).await,
            Err(why) => tell::finished(&self.shared, &self.token, &self.wish.uri, Err(&why)).await,
        }
    }

    /// The run, and once more with a reason where a person gives one.
    async fn attempts(&self, file_name: &str) -> Result<Ended, String> {
        let mut request = self.request(file_name).await?;
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
                return Ok(ended);
            }
            asked = true;
            if !self.could_be_overridden(&request).await
                || self.ask(&mut request, &ended.result.message).await.is_err()
            {
                return Ok(ended);
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
    async fn request(&self, file_name: &str) -> Result<RunRequest, String> {
        let text = self.text().await?;
        let settings = self.shared.settings();
        let folder = folder_of(&self.wish.uri);
        let layers = blocking(move || policy::layers(folder.as_deref())).await??;
        let mut request = RunRequest::new(text);
        request.file_name = Some(file_name.to_owned());
        request.policy = settings.policy;
        request.policy_layers = layers;
        request.limits.time_ms = settings.timeout_ms;
        request.limits.memory_bytes = settings.memory_bytes;
        request.client = ClientKind::Editor;
        // What it would change and what it leaves in /out is for views that can show it.
        let views = self.shared.client_can().events;
        (request.effects, request.artifacts) = (views, views);
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

    async fn text(&self) -> Result<String, String> {
        if let Some(source) = &self.wish.source {
            return Ok(source.clone());
        }
        let range = self.wish.range;
        let encoding = self.shared.encoding();
        let open = self
            .shared
            .with_open(&self.wish.uri, |open| (open.kind, open.text.clone()));
        if let Some((kind, text)) = open {
            return blocking(move || source::of(kind, &text, range, encoding)).await?;
        }
        let uri = self.wish.uri.clone();
        blocking(move || {
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
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
            let kind = Kind::of("", &shown).unwrap_or(Kind::Python);
            source::of(kind, &text, range, encoding)
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

    async fn attempt(&self, request: &RunRequest) -> Result<Ended, String> {
        let reached = tokio::select! {
            reached = daemon::reach(self.shared.settings().start_daemon) => reached,
            () = self.cancel.cancelled() => return Err("Cancelled before it began.".to_owned()),
        };
        let client = reached?;
        let mut events = client
            .subscribe_run(request.clone())
            .await
            .map_err(|error| daemon::explain(&error))?;
        let mut id = None;
        let mut output = (String::new(), String::new());
        let mut killed = false;
        let mut deadline = None;
        loop {
            let wait = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                event = events.next() => event,
                () = self.cancel.cancelled(), if !killed => {
                    killed = true;
                    deadline = Some(tokio::time::Instant::now() + END_WITHIN);
                    match &id {
                        Some(id) => { let _ = client.kill(String::clone(id)).await; }
                        // Not accepted yet: leaving ends it.
                        None => return Err("Cancelled before it began.".to_owned()),
                    }
                    continue;
                }
                () = wait => return Err("Cancelled; the daemon did not tell of the end in time.".to_owned()),
            };
            let event = match event {
                Some(Ok(event)) => event,
                Some(Err(error)) => {
                    return Err(format!("the daemon's answer cannot be read: {error}"));
                }
                None => {
                    return Err(
                        "the connection to the daemon broke before the run was over".to_owned()
                    );
                }
            };
            tell::happened(&self.shared, &self.token, &event).await;
            match event {
                Event::Accepted { id: given, .. } => id = Some(given),
                Event::Output { stream, chunk } => {
                    let kept = match stream {
                        Stream::Stdout => &mut output.0,
                        Stream::Stderr => &mut output.1,
                    };
                    keep(kept, &chunk);
                }
                Event::Finished { result } => {
                    return Ok(Ended {
                        result,
                        stdout: output.0,
                        stderr: output.1,
                    });
                }
                _ => {}
            }
        }
    }

    async fn finish(&self, ended: Ended, file_name: &str) {
        let found: Vec<Mark> = marks::of(&ended.result, &ended.stderr, file_name);
        if self.wish.source.is_none() {
            self.shared
                .with_open(&self.wish.uri, |open| open.marks = found);
            self.shared.found(&self.wish.uri).await;
            self.shared.refresh();
        }
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

/// Keeps the beginning and, of what is too long, the end of a stream: a traceback is at the end.
fn keep(kept: &mut String, chunk: &OutputChunk) {
    if let OutputChunk::Text { text } = chunk {
        kept.push_str(text);
    }
    if kept.len() > 2 * KEPT_OUTPUT {
        let mut cut = kept.len() - KEPT_OUTPUT;
        while !kept.is_char_boundary(cut) {
            cut += 1;
        }
        kept.replace_range(..cut, "[the beginning is left out]\n");
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(job)
        .await
        .map_err(|_| "a fault in saferun-lsp: see its log".to_owned())
}
