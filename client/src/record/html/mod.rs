//! `export --html`: one page for a person who knows nothing of sandboxes. No script, nothing loaded from anywhere. Pure.

mod contained;
mod findings;
mod output;
mod story;

use saferun_protocol::{Outcome, Risk, RunRecord, RunResult};

use super::{
    escape::Html,
    explain::{self, OutcomeWords},
    times::shown_with_offset,
    words::name,
};
use crate::units::{show_bytes, show_ms};

/// The page.
pub(super) fn page(id: &str, record: &RunRecord) -> String {
    let words = explain::outcome(record);
    let mut html = Html::begin(
        "SafeRun report: ",
        &record.file_name,
        include_str!("report.css"),
    );
    head(&mut html, record, &words);
    about(&mut html, record);
    let judged = record.result.as_ref().filter(|_| explain::judged(record));
    if let Some(result) = judged {
        findings::findings(&mut html, record, result);
        findings::decision(&mut html, record, result);
        story::story(&mut html, result);
        story::changes(&mut html, result);
        story::left_behind(&mut html, result);
        output::output(&mut html, record, result);
    }
    output::source(&mut html, record);
    if let Some(result) = judged {
        contained::limits(&mut html, result);
        contained::timing(&mut html, result);
        contained::evidence(&mut html, result);
        contained::sandbox(&mut html, result);
    }
    contained::integrity(&mut html, id, record);
    html.end()
}

fn head(html: &mut Html, record: &RunRecord, words: &OutcomeWords) {
    let title = if record.file_name.is_empty() {
        "A script without a name"
    } else {
        &record.file_name
    };
    html.raw("<p class=kicker>SafeRun report</p><h1>")
        .text(title)
        .raw("</h1><div class=\"verdict ")
        .raw(tone(record))
        .raw("\"><strong>")
        .text(&words.headline)
        .raw("</strong><p>")
        .prose(&words.meaning)
        .raw("</p>");
    if let Some(why) = &words.said {
        html.raw("<p>").prose(why).raw("</p>");
    }
    warnings(html, record);
    if let Some(next) = &words.next {
        html.raw("<p class=soft>What to do: ")
            .prose(next)
            .raw("</p>");
    }
    html.raw("</div><dl class=facts>");
    let mut fact = |label: &'static str, value: &str| {
        html.raw("<div><dt>")
            .raw(label)
            .raw("</dt><dd>")
            .text(value)
            .raw("</dd></div>");
    };
    fact("When", &shown_with_offset(record.started_ms));
    if let Some(result) = &record.result {
        if explain::judged(record) {
            fact("Risk of the code", &result.risk.to_string());
        }
        if let Some(code) = result.exit_code {
            fact("Exit code", &code.to_string());
        }
        if ran(result) {
            fact("Ran for", &show_ms(result.usage.wall_ms));
        }
        if let Some(bytes) = result.usage.peak_memory_bytes {
            fact("Memory used", &show_bytes(bytes));
        }
    }
    fact(
        "Asked for by",
        &format!("{}, user {}", name(record.client), record.uid),
    );
    html.raw("</dl>");
}

/// What nobody should overlook, in the box at the top.
fn warnings(html: &mut Html, record: &RunRecord) {
    let Some(result) = &record.result else { return };
    if ran(result) && result.risk >= Risk::High {
        html.raw("<p><b>The code is dangerous outside of a sandbox.</b> What it means to do stands below; in here it could reach nothing of this machine.");
        if result.risk == Risk::Blocked {
            html.raw(" BLOCKED is how dangerous the code is, not what became of it: ");
            if result.overridden {
                html.raw("it ran because somebody overrode the policy.");
            } else {
                html.raw("it ran because the policy <b>")
                    .text(&result.policy)
                    .raw("</b> lets code of this level run.");
            }
        }
        html.raw("</p>");
    }
    if result.overridden {
        html.raw("<p><b>The policy had refused it, and somebody overrode that.</b>");
        if let Some(reason) = &record.override_reason {
            html.raw(" The reason given: <q>").text(reason).raw("</q>");
        }
        html.raw("</p>");
    }
    if !result.limits.not_enforced.is_empty() {
        html.raw("<p><b>This machine could not hold all limits:</b> ")
            .text(&result.limits.not_enforced.join(", "))
            .raw("</p>");
    }
    if let Some(why) = &result.unrecorded {
        html.raw("<p><b>The record of this run is not whole:</b> ")
            .prose(why)
            .raw("</p>");
    }
}

fn tone(record: &RunRecord) -> &'static str {
    let result = record.result.as_ref().filter(|_| record.ended_ms.is_some());
    match result.map(|result| (result.status, result.exit_code)) {
        Some((Outcome::Completed, Some(0))) => "good",
        None | Some((Outcome::Completed | Outcome::Cancelled, _)) => "warn",
        Some(_) => "bad",
    }
}

/// Whether any of the code was executed, as far as is known.
fn ran(result: &RunResult) -> bool {
    !matches!(result.status, Outcome::Blocked | Outcome::SetupFailed)
}

fn about(html: &mut Html, record: &RunRecord) {
    let did = record.result.as_ref().is_some_and(ran);
    html.raw("<h2>What this page is</h2><p>SafeRun reads a Python program before it runs, decides by a policy whether it may, and runs it in a sandbox: a sealed-off container of its own that is thrown away afterwards. ");
    html.raw(if did {
        "This page is the record of one such run: what the code meant to do, what was decided, what it printed, and how it was contained."
    } else {
        "This page is the record of one such request. The program itself was not run."
    });
    html.raw("</p>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample;

    #[test]
    fn nothing_of_the_run_becomes_markup_or_hides_from_the_eye() {
        let mut record = sample::record();
        let evil = "</pre><script>alert(1)</script>\"' onload=x \u{202e}\u{7}\u{9b}\u{200b}&amp;";
        for text in [
            &mut record.file_name,
            record.source.as_mut().unwrap(),
            record.override_reason.as_mut().unwrap(),
            &mut record.decision[0],
            &mut record.args[0],
        ] {
            evil.clone_into(text);
        }
        let result = record.result.as_mut().unwrap();
        let finding = &mut result.findings[0];
        for text in [
            &mut result.stdout,
            &mut result.stderr,
            &mut result.policy,
            &mut result.policy_hash,
            &mut result.policy_warnings[0],
            &mut finding.message,
            &mut finding.rule,
            &mut finding.name,
            &mut finding.evidence[0].message,
            &mut result.sandbox.engine,
            &mut result.sandbox.attestation[0].value,
        ] {
            evil.clone_into(text);
        }
        let page = page(evil, &record);
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("&amp;amp;amp;"));
        let hidden = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{200b}\u{9b}".contains(c);
        assert!(!page.contains(hidden));
        // Each element that was opened by us, and none by the run: an attribute of its own would need a tag.
        assert_eq!(
            page.matches("onload").count(),
            page.matches("&#39; onload=x").count()
        );
        assert!(page.matches("onload").count() > 15);
    }

    #[test]
    fn a_blocked_level_beside_a_run_that_ended_says_who_let_it_run() {
        let page_of = |status: Outcome, overridden: bool| {
            let mut record = sample::record();
            let result = record.result.as_mut().unwrap();
            (result.risk, result.status) = (Risk::Blocked, status);
            result.overridden = overridden;
            page("0193a5c4", &record)
        };
        let told = "not what became of it";
        let by_a_person = page_of(Outcome::Completed, true);
        assert!(by_a_person.contains(told) && by_a_person.contains("somebody overrode the policy"));
        let by_policy = page_of(Outcome::Completed, false);
        assert!(by_policy.contains(told) && by_policy.contains("lets code of this level run"));
        assert!(!page_of(Outcome::Blocked, false).contains(told));
    }

    #[test]
    fn the_page_is_whole_and_loads_nothing() {
        let record = sample::record();
        let page = page("0193a5c4", &record);
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
        assert!(page.contains("default-src 'none'; style-src 'sha256-"));
        for loader in [
            "src=\"",
            "href=",
            "url(",
            "@import",
            "<link",
            "<iframe",
            "http-equiv=\"refresh",
        ] {
            assert!(!page.contains(loader), "{loader}");
        }
        for tag in [
            "div", "section", "table", "tbody", "tr", "td", "span", "pre", "ul", "li", "p", "dl",
        ] {
            let opened = page.matches(&format!("<{tag}>")).count()
                + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(page.contains("<mark>os.system(&#39;rm -rf /"), "{page}");
        let words = explain::outcome(&record);
        assert!(page.contains(&words.headline));
    }
}
