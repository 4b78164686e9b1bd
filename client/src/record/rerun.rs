//! `rerun`: the same code with the same input, policy and image once more, and what came out otherwise.

use std::{fmt::Write as _, fs::File, io::Read, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{
    ApiClient, ClientKind, MAX_REQUEST_BYTES, RunRecord, RunRequest, StdinMode,
};
use sha2::{Digest, Sha256};

use super::{
    compare::{Difference, compare},
    find::find,
};
use crate::{
    args::{Global, RerunArgs},
    daemon, exit,
    failure::Failure,
    run::{check_size, person_present},
    ui::{self, json, one_line},
};

/// What the daemon puts in the place of a secret.
const MARK: &str = "[redacted]";

/// Runs again. Exit code 0: nothing differs; 1: something does.
pub(crate) async fn rerun(args: &RerunArgs, global: &Global) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let id = find(&client, &args.id).await?;
    let before = client.record(id.clone()).await?;
    let request = request(&id, &before, args)?;
    let result = client.run(request).await?;
    // Record with record: secrets are blanked out in both alike.
    let after = client.record(result.id.clone()).await.map_err(|error| {
        let failure = Failure::from(error);
        Failure::failed(
            format!(
                "the run {} is over, but there is no record of it to compare: {}",
                result.id, failure.message
            ),
            "saferunctl status tells what is wrong with the record",
        )
    })?;
    let differences = compare(&before, &after);
    if args.json {
        ui::line(json(&serde_json::json!({
            "before": id,
            "after": result.id,
            "same": differences.is_empty(),
            "differences": differences,
        })));
    } else {
        ui::out(text(&id, &result.id, &before, &differences));
    }
    Ok(if differences.is_empty() {
        0
    } else {
        exit::NOT_OK
    })
}

fn request(id: &str, record: &RunRecord, args: &RerunArgs) -> Result<RunRequest, Failure> {
    let asked = record.asked.as_ref().ok_or_else(|| {
        Failure::usage(
            "what the request said of policy and limits is not kept any more",
            format!("run it anew: saferunctl export {id} has what is left"),
        )
    })?;
    if !record.files.is_empty() {
        return Err(Failure::usage(
            format!(
                "{} files came with the script, and the record holds only their hashes",
                record.files.len()
            ),
            "run it anew with its files: saferunctl run --workspace FOLDER FILE",
        ));
    }
    let source = source(id, record, args.source.as_deref())?;
    let mut request = match String::from_utf8(source) {
        Ok(text) => RunRequest::new(text),
        Err(error) => {
            let mut request = RunRequest::default();
            request.source_base64 = Some(STANDARD.encode(error.as_bytes()));
            request
        }
    };
    let words = record
        .args
        .iter()
        .chain(record.env.iter().map(|(_, value)| value));
    if words.into_iter().any(|word| word.contains(MARK)) {
        return Err(Failure::usage(
            "a secret in the arguments or variables was blanked out in the record, so the run cannot be done again as it was",
            "run it anew with the secret: saferunctl run FILE -- ARGS",
        ));
    }
    request.file_name = Some(record.file_name.clone());
    request.args.clone_from(&record.args);
    request.env.clone_from(&record.env);
    if let Some(bytes) = stdin(id, record, asked.stdin, args.stdin.as_deref())? {
        request.stdin = StdinMode::Given;
        request.stdin_base64 = Some(STANDARD.encode(bytes));
    }
    request.policy.clone_from(&asked.policy);
    request.policy_layers = asked.policy_layers.clone();
    request.limits = asked.limits.clone();
    request.runtime.clone_from(&asked.runtime);
    // The image that was picked then, also where the choice would be another today.
    let picked = record.result.as_ref().map(|result| &result.sandbox.variant);
    request.image = picked
        .filter(|variant| !variant.is_empty())
        .cloned()
        .or_else(|| asked.image.clone());
    request.override_reason.clone_from(&record.override_reason);
    request.person_present = person_present();
    request.client = if request.person_present {
        ClientKind::Terminal
    } else {
        ClientKind::Other
    };
    check_size(&request)?;
    Ok(request)
}

fn source(id: &str, record: &RunRecord, file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let bytes = match (file, &record.source) {
        (Some(path), _) => read(path)?,
        (None, Some(source)) if record.source_exact => source.clone().into_bytes(),
        (None, _) => {
            return Err(Failure::usage(
                format!(
                    "the record does not hold the code exactly: {}",
                    if record.redactions > 0 {
                        "secrets were blanked out"
                    } else {
                        "it was not kept, or is no UTF-8 text"
                    }
                ),
                format!(
                    "name the file: saferunctl rerun {id} --source FILE (its sha256 must be {})",
                    one_line(&record.code_sha256)
                ),
            ));
        }
    };
    let hash = crate::units::hex(&Sha256::digest(&bytes));
    if hash != record.code_sha256 {
        return Err(Failure::usage(
            format!("this is not the code that ran: its sha256 is {hash}"),
            format!("it must be {}", one_line(&record.code_sha256)),
        ));
    }
    Ok(bytes)
}

fn stdin(
    id: &str,
    record: &RunRecord,
    mode: StdinMode,
    file: Option<&Path>,
) -> Result<Option<Vec<u8>>, Failure> {
    let kept = record
        .stdin_base64
        .as_ref()
        .and_then(|base64| STANDARD.decode(base64).ok())
        .filter(|bytes| {
            !bytes
                .windows(MARK.len())
                .any(|window| window == MARK.as_bytes())
        });
    match (file, mode, kept) {
        (Some(path), _, _) => read(path).map(Some),
        (None, StdinMode::Given, Some(bytes)) => Ok(Some(bytes)),
        (None, StdinMode::Empty, _) => Ok(None),
        (None, _, _) => Err(Failure::usage(
            "the standard input of that run is not in the record, or a secret in it was blanked out",
            format!("give it: saferunctl rerun {id} --stdin FILE (/dev/null for none)"),
        )),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let limit = u64::from(MAX_REQUEST_BYTES);
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let shown = ui::path(path);
    let bytes = read().map_err(|error| {
        Failure::usage(format!("cannot read {shown}: {error}"), "check the path")
    })?;
    if bytes.len() as u64 > limit {
        return Err(Failure::usage(
            format!("{shown} is larger than any request may be"),
            "name the right file",
        ));
    }
    Ok(bytes)
}

fn text(id: &str, new: &str, before: &RunRecord, differences: &[Difference]) -> String {
    let mut out = format!("before {id}\nafter  {new}\n");
    if differences.is_empty() {
        out.push_str("nothing differs\n");
    }
    for difference in differences {
        // Writing to a String does not fail.
        let _ = write!(
            out,
            "{} differs\n  before: {}\n  after:  {}\n",
            difference.what,
            one_line(&difference.before),
            one_line(&difference.after)
        );
    }
    if !before.output_kept || before.output_withheld {
        out.push_str("the output was not compared: the record of the first run does not show it\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample;

    fn args() -> RerunArgs {
        RerunArgs {
            id: String::new(),
            source: None,
            stdin: None,
            json: false,
        }
    }

    #[test]
    fn a_redacted_source_asks_for_the_file_with_the_hash() {
        let mut record = sample::record();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.py");
        std::fs::write(&path, "print(1)\n").unwrap();
        let failure = source("id", &record, None).unwrap_err();
        assert!(
            failure.text().contains(&record.code_sha256),
            "{}",
            failure.text()
        );
        assert!(
            source("id", &record, Some(&path))
                .unwrap_err()
                .message
                .contains("not the code")
        );
        record.code_sha256 = crate::units::hex(&Sha256::digest(b"print(1)\n"));
        assert_eq!(source("id", &record, Some(&path)).unwrap(), b"print(1)\n");
    }

    #[test]
    fn the_request_is_the_recorded_one() {
        let mut record = sample::record();
        record.source_exact = true;
        record.code_sha256 =
            crate::units::hex(&Sha256::digest(record.source.clone().unwrap().as_bytes()));
        record.asked.as_mut().unwrap().stdin = StdinMode::Given;
        let failure = request("id", &record, &args()).unwrap_err();
        assert!(failure.text().contains("--workspace"), "{}", failure.text());
        record.files.clear();
        let request = request("id", &record, &args()).unwrap();
        assert_eq!(Some(request.source), record.source);
        assert_eq!(request.args, ["--all"]);
        assert_eq!(request.stdin_base64.as_deref(), Some("MQ=="));
        assert_eq!(request.policy.as_deref(), Some("default"));
        assert_eq!(request.image.as_deref(), Some("python"));
        assert_eq!(request.override_reason.as_deref(), Some("read it"));
    }

    #[test]
    fn what_was_blanked_out_or_not_kept_is_asked_for() {
        let mut record = sample::record();
        record.source_exact = true;
        record.code_sha256 =
            crate::units::hex(&Sha256::digest(record.source.clone().unwrap().as_bytes()));
        record.files.clear();
        record.asked.as_mut().unwrap().stdin = StdinMode::Stream;
        record.stdin_base64 = None;
        assert!(
            request("id", &record, &args())
                .unwrap_err()
                .text()
                .contains("--stdin FILE")
        );
        record.args = vec![format!("--key={MARK}")];
        assert!(
            request("id", &record, &args())
                .unwrap_err()
                .message
                .contains("blanked out")
        );
        record.asked = None;
        assert!(request("id", &record, &args()).is_err());
    }
}
