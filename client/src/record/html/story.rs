//! What a traced run did, tried and would have changed, against what was predicted.

use saferun_protocol::{
    Change, ChangeKind, EntryState, EntryType, EventKind, Observation, Place, RunResult, Seen,
    TraceEvent, got_nothing,
};

use super::ran;
use crate::{record::escape::Html, units::show_bytes};

/// Most events, and most changes, that are listed.
const LISTED: usize = 200;

/// What the run was seen doing.
pub(super) fn story(html: &mut Html, result: &RunResult) {
    if !ran(result) {
        return;
    }
    html.raw("<h2>What it tried</h2>");
    let Some(trace) = &result.trace else {
        html.raw("<p>This run was not watched while it ran (<code>saferunctl run --trace</code> does that), so this page tells what it was found to mean, what it printed, and how it ended. What it did stayed inside the sandbox either way.</p>");
        return;
    };
    if let Some(why) = &trace.unavailable {
        html.raw("<p>The kernel could not be asked what the program did (")
            .text(why)
            .raw("). Whatever is listed here is by the program&rsquo;s own word, which can be wrong and can lie.</p>");
    } else {
        html.raw("<p>SafeRun watched the program from the kernel while it ran: programs that it would start, files that it would write or take away, addresses that it reached for.</p>");
    }
    outcome_of_predictions(html, result);
    let parts = trace.parts();
    if trace.events.is_empty() {
        html.raw(if trace.unavailable.is_none() {
            "<p>It started nothing, changed no file, and reached for no address.</p>"
        } else {
            "<p>What it did is not known: nobody told of it.</p>"
        });
    }
    events(
        html,
        "<h3>What nothing in the code had announced</h3><p class=soft>Worth a look: reading the code did not predict this.</p>",
        &parts.unforetold,
    );
    events(
        html,
        "<h3>What it tried in vain</h3><p class=soft>The sandbox refused it, or there was nothing to be had: its secrets are decoys.</p>",
        &parts.tried,
    );
    events(
        html,
        "<h3>What was let through, inside the sandbox</h3><p class=soft>SafeRun is told before each call: whether it succeeded is not known.</p>",
        &parts.did,
    );
    if let Some(gaps) = trace.gaps() {
        html.raw("<p><strong>The list has gaps:</strong> ")
            .text(&gaps)
            .raw(".</p>");
    }
}

/// What an event is, as a verb.
const fn verb(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Process => "start",
        EventKind::Write => "write",
        EventKind::Delete => "take away",
        EventKind::Secret => "look for the secret",
        EventKind::Network => "reach for",
        EventKind::Name => "look up the name",
        EventKind::Refused => "call",
    }
}

/// One sentence with the counts; the cards above say it of each.
fn outcome_of_predictions(html: &mut Html, result: &RunResult) {
    let count = |wanted| {
        let fits = |seen: &Observation| *seen == wanted;
        let findings = result.findings.iter();
        findings
            .filter(|finding| finding.observed.as_ref().is_some_and(fits))
            .count()
    };
    let (observed, refused, not_reached) = (
        count(Observation::Observed),
        count(Observation::Refused),
        count(Observation::NotReached),
    );
    if observed + refused + not_reached == 0 {
        return;
    }
    let was = |number| if number == 1 { "was" } else { "were" };
    html.raw("<p>Of what reading the code had predicted, ")
        .text(&format!(
            "{observed} {} tried and let through, {refused} {} tried and refused, and {not_reached} did not come up in this run",
            was(observed),
            was(refused),
        ))
        .raw(".</p>");
}

fn events(html: &mut Html, title: &'static str, events: &[&TraceEvent]) {
    if events.is_empty() {
        return;
    }
    html.raw(title)
        .raw("<table><thead><tr><th>What</th><th>On what</th><th>From</th></tr></thead><tbody>");
    for event in events.iter().take(LISTED) {
        html.raw("<tr><td>").text(verb(event.kind));
        if event.kind != EventKind::Secret && got_nothing(event) {
            html.raw(" <span class=\"badge\">refused</span>");
        }
        html.raw("</td><td class=mono>").text(&event.what);
        if event.count > 1 {
            html.text(&format!(" ({} times)", event.count));
        }
        html.raw("</td><td class=mono>");
        if let (Some(file), Some(line)) = (&event.file, event.line) {
            html.text(file);
            if line > 0 {
                html.text(&format!(":{line}"));
            }
        }
        if event.seen != Seen::Kernel {
            html.raw(" by its own word");
        }
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table>");
    more(html, events.len());
}

fn more(html: &mut Html, all: usize) {
    if all > LISTED {
        html.raw("<p class=soft>And ")
            .text(&(all - LISTED).to_string())
            .raw(" more; the JSON report has those.</p>");
    }
}

/// What it would have changed, had it been let.
pub(super) fn changes(html: &mut Html, result: &RunResult) {
    let Some(effects) = &result.effects else {
        return;
    };
    html.raw("<h2>What it would have changed</h2><p>It worked on copies inside the sandbox. Nothing of this happened to any file outside of it.</p>");
    if effects.changes.is_empty() {
        html.raw("<p>No file.</p>");
    } else {
        html.raw("<table><thead><tr><th>What</th><th>File</th><th>Size</th></tr></thead><tbody>");
        for change in effects.changes.iter().take(LISTED) {
            html.raw("<tr><td>")
                .raw(what(change.kind))
                .raw("</td><td class=mono>")
                .raw(place(change.place))
                .text(&change.path)
                .raw("</td><td>")
                .text(&sizes(change))
                .raw("</td></tr>");
        }
        html.raw("</tbody></table>");
        more(html, effects.changes.len());
    }
    for note in &effects.notes {
        html.raw("<p class=soft>").prose(note).raw("</p>");
    }
}

/// What did not come back of the files that it made for its caller.
pub(super) fn left_behind(html: &mut Html, result: &RunResult) {
    if let Some(left) = result.left_behind() {
        html.raw("<p><strong>Not every result came back:</strong> ")
            .text(&left)
            .raw(".</p>");
    }
}

fn what(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "created",
        ChangeKind::Modified => "changed",
        ChangeKind::Deleted => "deleted",
    }
}

fn place(place: Place) -> &'static str {
    match place {
        Place::Home => "~/",
        _ => "",
    }
}

fn sizes(change: &Change) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before.size != after.size => {
            format!("{}, was {}", what_it_is(after), what_it_is(before))
        }
        (_, Some(after)) => what_it_is(after),
        (Some(before), None) => format!("was {}", what_it_is(before)),
        (None, None) => String::new(),
    }
}

fn what_it_is(state: &EntryState) -> String {
    match state.kind {
        EntryType::File => show_bytes(state.size),
        EntryType::Folder => "a folder".to_owned(),
        EntryType::Symlink => "a link".to_owned(),
        _ => "neither file nor folder".to_owned(),
    }
}

/// The mark on a card of a finding: what became of it.
pub(super) fn mark(html: &mut Html, observed: Option<Observation>) {
    let text = match observed {
        Some(Observation::Observed) => "<p><b>In this run it was tried, and let through.</b></p>",
        Some(Observation::Refused) => {
            "<p><b>In this run it was tried, and the sandbox refused it.</b></p>"
        }
        Some(Observation::NotReached) => "<p class=soft>It did not come up in this run.</p>",
        _ => return,
    };
    html.raw(text);
}

#[cfg(test)]
mod tests {
    use saferun_protocol::{LeftBehind, Trace, TraceVerdict};

    use super::*;
    use crate::record::sample;

    #[test]
    fn predicted_tried_done_and_unannounced_stand_apart_and_nothing_becomes_markup() {
        let mut result = sample::record().result.unwrap();
        result.findings[0].observed = Some(Observation::Refused);
        let mut trace = Trace::default();
        trace.events = vec![
            sample::event(
                EventKind::Write,
                "/tmp/<b>\u{202e}",
                TraceVerdict::Allowed,
                4,
            ),
            sample::event(EventKind::Network, "192.0.2.1:80", TraceVerdict::Refused, 4),
            sample::event(EventKind::Delete, "/workspace/a", TraceVerdict::Allowed, 4),
        ];
        for event in &mut trace.events {
            (event.count, event.file) = (3, Some("<main>.py".to_owned()));
        }
        trace.unforetold = vec![2];
        trace.left_out = 9;
        trace.left_out_by_kind = [(EventKind::Write, 9)].into();
        result.trace = Some(trace);
        let mut html = Html::begin("", "", "");
        story(&mut html, &result);
        changes(&mut html, &result);
        result.artifacts_left_behind = Some(LeftBehind {
            files: 7,
            names: vec!["<b>".to_owned()],
            ..LeftBehind::default()
        });
        left_behind(&mut html, &result);
        let page = html.end();
        let places: Vec<usize> = [
            "had announced",
            "/workspace/a",
            "in vain",
            "192.0.2.1:80",
            "let through, inside the sandbox</h3>",
            "/tmp/",
            "would have changed",
        ]
        .into_iter()
        .map(|part| {
            page.find(part)
                .unwrap_or_else(|| panic!("{part} in {page}"))
        })
        .collect();
        assert!(places.is_sorted(), "{places:?}\n{page}");
        assert!(
            page.contains("0 were tried and let through, 1 was tried and refused, and 0 did not"),
            "{page}"
        );
        assert!(
            page.contains("&lt;main&gt;.py:4")
                && page.contains("(3 times)")
                && page.contains("</strong> not told for want of room: 9 writes; ")
        );
        assert!(page.contains("7 files of 0 bytes in /out did not come back"));
        assert!(
            !page.contains("<b>") && !page.contains('\u{202e}'),
            "{page}"
        );
    }

    #[test]
    fn a_run_that_was_not_traced_says_so_and_one_that_did_not_run_says_nothing() {
        let mut result = sample::record().result.unwrap();
        let told = |result: &RunResult| {
            let mut html = Html::begin("", "", "");
            story(&mut html, result);
            html.end()
        };
        assert!(told(&result).contains("was not watched"));
        let mut trace = Trace::default();
        result.trace = Some(trace.clone());
        assert!(told(&result).contains("started nothing"));
        trace.unavailable = Some("gVisor".to_owned());
        result.trace = Some(trace);
        let blind = told(&result);
        assert!(!blind.contains("started nothing") && blind.contains("is not known"));
        result.status = saferun_protocol::Outcome::Blocked;
        assert!(!told(&result).contains("<h2>"));
    }
}
