//! `policy explain` and `policy test`: what a policy says of code, without running it.

use std::{fs::File, path::PathBuf};

use saferun_policy::{ClientKind, DecisionRequest, Source};
use saferun_scanner::{Options, extract::scan_bytes, scan};
use serde_json::json;

use super::{Chosen, files_here, layers::loaded, read};
use crate::{
    args::PolicyExplainArgs,
    exit,
    failure::Failure,
    scan::read_bounded,
    ui::{self, one_line},
};

/// Says what the policy decides on a script, which clause decided, and what would change it.
pub(crate) fn explain(args: &PolicyExplainArgs) -> Result<u8, Failure> {
    let chosen = Chosen {
        policy: args.policy.as_deref(),
        set: &[],
        script: Some(&args.script),
    };
    let Some(loaded) = chosen.layers()?.load()? else {
        return Ok(exit::NOT_OK);
    };
    let shown = args.script.display().to_string();
    let bytes = File::open(&args.script)
        .and_then(read_bounded)
        .map_err(|error| {
            Failure::usage(
                format!("cannot read {}: {error}", one_line(&shown)),
                "check the path",
            )
        })?;
    let scanned = |honour_suppressions| {
        let options = Options {
            honour_suppressions,
            ..Options::default()
        };
        scan_bytes(&shown, &bytes, &options)
    };
    let request = DecisionRequest {
        override_reason: args.override_reason.clone(),
        person_present: true,
        gvisor_available: args.gvisor,
        client: ClientKind::Terminal,
        ..DecisionRequest::default()
    };
    let texts = scanned(loaded.policy.honour_suppressions).texts;
    // A line's number alone does not say which cell of a notebook it is in.
    let code = match texts.as_slice() {
        [text] => Some(text.as_str()),
        _ => None,
    };
    let explanation = loaded.explain(&|honour| scanned(honour).report, &request, code);
    if args.json {
        ui::line(ui::pretty_json(&explanation));
    } else {
        ui::line(explanation.to_string().trim_end());
    }
    Ok(if explanation.decision.verdict.runs() {
        0
    } else {
        exit::REFUSED
    })
}

/// Runs the tests in policy files.
pub(crate) fn test(files: &[PathBuf], as_json: bool) -> Result<u8, Failure> {
    let mut code = 0;
    for path in files {
        let shown = path.display().to_string();
        code = code.max(test_sources(&shown, &[read(path)?], as_json)?);
    }
    if files.is_empty() {
        code = test_sources("the policy here", &files_here()?, as_json)?;
    }
    Ok(code)
}

fn test_sources(shown: &str, sources: &[Source], as_json: bool) -> Result<u8, Failure> {
    let shown = one_line(shown);
    let Some(loaded) = loaded(sources) else {
        return Ok(exit::NOT_OK);
    };
    if loaded.tests.is_empty() {
        return Err(Failure::usage(
            format!("{shown} has no tests"),
            "add a `tests` section",
        ));
    }
    let options = Options {
        honour_suppressions: loaded.policy.honour_suppressions,
        ..Options::default()
    };
    let outcomes = loaded
        .policy
        .run_tests(&loaded.tests, |code, _language| scan(code, &options));
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    if as_json {
        ui::line(ui::json(
            &json!({"file": shown, "failed": failed, "tests": outcomes}),
        ));
    } else {
        for outcome in &outcomes {
            ui::line(outcome.to_string());
        }
        ui::line(format!(
            "{shown}: {} of {} tests passed",
            outcomes.len() - failed,
            outcomes.len()
        ));
    }
    Ok(if failed == 0 { 0 } else { exit::NOT_OK })
}
