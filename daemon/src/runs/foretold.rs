//! Prediction against observation: which findings the trace bears out, and what happened that none foretold. Pure. The
//! lines are the program's own word: a forged one can at most make a finding look borne out, or an event unforetold.

use saferun_protocol::{EventKind, Finding, Observation, Trace, TraceEvent, TraceVerdict};

use EventKind::{Delete, Name, Network, Process, Refused, Secret, Write};

/// What a rule foretells.
struct Acts {
    /// Events that bear it out.
    kinds: &'static [EventKind],
    /// Whether its act never goes without such an event, so that none means that the act was not reached.
    sure: bool,
}

/// The acts of a rule by its number; none for what no event can show: reading, computing, making code of data.
const fn acts(rule: u32) -> Acts {
    let (kinds, sure): (&[EventKind], bool) = match rule {
        201 | 202 | 204 | 205 | 211 | 212 => (&[Process], true),
        203 | 207..=210 | 647 | 801 | 917..=919 => (&[Process], false),
        221..=241 => (&[Process, Write, Delete, Secret, Network, Name], true),
        301..=304 | 317 | 824 => (&[Delete], true),
        920 | 921 => (&[Delete], false),
        305..=307 | 309 | 318 | 501..=507 | 510..=512 => (&[Write], true),
        310 | 313..=315 | 319 | 923 => (&[Write], false),
        311 | 312 => (&[Write, Delete], true),
        827 | 891 => (&[Write, Delete], false),
        401 | 402 | 404 | 405 => (&[Secret], true),
        403 | 406 | 408 | 411..=413 | 417 | 418 | 420 => (&[Secret], false),
        513 => (&[Write, Process], false),
        416 | 601 | 602 | 604..=609 | 612..=614 | 616 | 619 => (&[Network, Name], true),
        603 | 611 | 615 | 617 | 618 | 620 | 621 | 653 => (&[Network, Name], false),
        845 | 849 => (&[Network, Name, Process], false),
        901..=908 | 911 | 916 | 924 => (&[Network, Name, Process], true),
        // Only a signal to what supervises the run is an event.
        206 | 641 | 646 | 651 | 652 | 655 | 658 | 821 => (&[Refused], false),
        _ => (&[], false),
    };
    Acts { kinds, sure }
}

fn acts_of(finding: &Finding) -> Acts {
    let number = finding.rule.strip_prefix("SR").unwrap_or_default();
    acts(number.parse().unwrap_or_default())
}

/// Marks each finding that the trace says something about, and the events that no finding foretold. `script` is the
/// script's path below the workspace. Whoever `asked_for_out` expects writes there, also those of the open figures that are
/// saved for the script when it ends.
pub(super) fn compare(
    findings: &mut [Finding],
    trace: &mut Trace,
    script: &str,
    asked_for_out: bool,
) {
    for finding in findings.iter_mut() {
        finding.observed = observed(finding, trace, script);
    }
    trace.unforetold = (0_u32..)
        .zip(&trace.events)
        .filter(|(_, event)| {
            let foretells = |finding: &Finding| {
                acts_of(finding).kinds.contains(&event.kind) && fits(finding, event, script)
            };
            let asked_for = asked_for_out && event.kind == Write && is_made_in_out(event);
            !asked_for && !findings.iter().any(foretells)
        })
        .map(|(number, _)| number)
        .collect();
}

/// Whether what is written is below `/out`. A hard link is told as `FROM to TO`, and either name may hold ` to ` itself: what
/// follows each has to be there. What the interpreter says of a link is what it leads to.
fn is_made_in_out(event: &TraceEvent) -> bool {
    let what = event.what.as_str();
    match event.call.as_str() {
        "link" | "linkat" => what.contains(" to ") && what.split(" to ").skip(1).all(is_below_out),
        "os.link" | "os.symlink" => false,
        _ => is_below_out(what),
    }
}

/// Whether a path, as it is told, leads to something below `/out` and not out of it again: the interpreter tells paths as
/// the program wrote them.
fn is_below_out(path: &str) -> bool {
    path.strip_prefix("/out/")
        .is_some_and(|below| below.split('/').all(|part| part != ".."))
}

fn observed(finding: &Finding, trace: &Trace, script: &str) -> Option<Observation> {
    let acts = acts_of(finding);
    let of_kind = |event: &&TraceEvent| acts.kinds.contains(&event.kind);
    let mut seen = trace.events.iter().filter(of_kind).peekable();
    let any = seen.peek().is_some();
    let lost = |kind| trace.left_out_by_kind.contains_key(kind);
    let counted = trace.left_out == 0 || !trace.left_out_by_kind.is_empty();
    let whole = counted && !acts.kinds.iter().any(lost);
    let mut here = seen.filter(|event| fits(finding, event, script)).peekable();
    if here.peek().is_some() {
        let refused = here.all(|event| event.verdict == TraceVerdict::Refused);
        return match (refused, whole) {
            (false, _) => Some(Observation::Observed),
            (true, true) => Some(Observation::Refused),
            // One that was let through may be among those that are not told.
            (true, false) => None,
        };
    }
    // Text for a shell and flows stand at another line than the act: any such act leaves it open.
    let elsewhere =
        any && matches!(acts.kinds.first(), Some(Process | Network)) && acts.kinds.len() > 2;
    let whole = whole && trace.unavailable.is_none();
    (acts.sure && whole && !elsewhere).then_some(Observation::NotReached)
}

/// Whether an event may be the act of a finding: at one of its lines, or at none that is known.
fn fits(finding: &Finding, event: &TraceEvent, script: &str) -> bool {
    let Some(line) = event.line.filter(|line| *line > 0) else {
        return true;
    };
    let file = finding.file.as_deref().unwrap_or(script);
    let same = event.file.as_deref().is_none_or(|seen| {
        seen == file
            || seen
                .strip_suffix(file)
                .is_some_and(|above| above.ends_with('/'))
    });
    let ranges = finding.evidence.iter().map(|step| step.range);
    same && std::iter::once(finding.range)
        .chain(ranges)
        .any(|range| (range.start.line..=range.end.line).contains(&line))
}

#[cfg(test)]
mod tests {
    use saferun_protocol::{Evidence, Position, Range, Risk, Seen};

    use super::*;

    fn range(start: u32, end: u32) -> Range {
        let position = |line| Position { line, column: 1 };
        Range {
            start: position(start),
            end: position(end),
        }
    }

    fn finding(rule: &str, line: u32) -> Finding {
        let (name, message) = (rule.to_owned(), String::new());
        Finding::new(
            rule.to_owned(),
            name,
            Risk::High,
            message,
            range(line, line),
        )
    }

    fn event(kind: EventKind, line: Option<u32>, verdict: TraceVerdict) -> TraceEvent {
        TraceEvent {
            at_us: 1,
            kind,
            call: "c".to_owned(),
            what: "w".to_owned(),
            verdict,
            pid: 2,
            count: 1,
            file: line.map(|_| "tools/main.py".to_owned()),
            line,
            seen: Seen::Kernel,
        }
    }

    fn compared(mut findings: Vec<Finding>, events: Vec<TraceEvent>) -> (Vec<Finding>, Trace) {
        let mut trace = Trace::default();
        trace.events = events;
        compare(&mut findings, &mut trace, "tools/main.py", false);
        (findings, trace)
    }

    #[test]
    fn findings_are_observed_refused_or_not_reached_by_kind_and_line() {
        use TraceVerdict::{Allowed, Refused};
        let findings = vec![
            finding("SR303", 4),
            finding("SR601", 5),
            finding("SR202", 6),
            finding("SR303", 9),
            // Nothing can show that a hash is weak, and reading is no event.
            finding("SR880", 4),
            finding("SR308", 4),
            finding("not a rule", 4),
        ];
        let (findings, trace) = compared(
            findings,
            vec![
                event(Delete, Some(4), Allowed),
                event(Network, Some(5), Refused),
                event(Name, Some(5), Refused),
                event(Process, Some(7), Allowed),
                event(Delete, Some(5), Allowed),
            ],
        );
        let observed: Vec<_> = findings.iter().map(|finding| finding.observed).collect();
        let not_reached = Some(Observation::NotReached);
        assert_eq!(
            observed,
            [
                Some(Observation::Observed),
                Some(Observation::Refused),
                not_reached,
                not_reached,
                None,
                None,
                None
            ]
        );
        assert_eq!(trace.unforetold, [3, 4]);
    }

    #[test]
    fn what_was_let_happen_once_is_observed() {
        let (findings, _) = compared(
            vec![finding("SR303", 4)],
            vec![
                event(Delete, Some(4), TraceVerdict::Refused),
                event(Delete, Some(4), TraceVerdict::Allowed),
            ],
        );
        assert_eq!(findings[0].observed, Some(Observation::Observed));
    }

    #[test]
    fn a_kill_is_borne_out_by_a_signal_and_never_called_not_reached() {
        let kill = || vec![finding("SR206", 4)];
        let (findings, trace) = compared(kill(), vec![event(Refused, None, TraceVerdict::Refused)]);
        assert_eq!(findings[0].observed, Some(Observation::Refused));
        assert!(trace.unforetold.is_empty());
        let (findings, _) = compared(kill(), Vec::new());
        assert_eq!(findings[0].observed, None);
    }

    #[test]
    fn a_line_that_is_not_known_fits_each_finding_of_its_kind() {
        let (findings, trace) = compared(
            vec![finding("SR601", 4), finding("SR303", 4)],
            vec![
                event(Network, None, TraceVerdict::Refused),
                event(Write, None, TraceVerdict::Allowed),
            ],
        );
        assert_eq!(findings[0].observed, Some(Observation::Refused));
        assert_eq!(trace.unforetold, [1]);
    }

    #[test]
    fn the_lines_of_the_evidence_count_and_other_files_do_not() {
        let mut flow = finding("SR901", 9);
        flow.evidence = vec![Evidence {
            message: String::new(),
            range: range(3, 5),
        }];
        let mut other = finding("SR601", 4);
        other.file = Some("tools/other.py".to_owned());
        let events = vec![event(Network, Some(4), TraceVerdict::Refused)];
        let (findings, trace) = compared(vec![flow, other], events);
        assert_eq!(findings[0].observed, Some(Observation::Refused));
        assert_eq!(findings[1].observed, Some(Observation::NotReached));
        assert!(trace.unforetold.is_empty());
    }

    #[test]
    fn writes_to_out_surprise_nobody_who_asked_for_them() {
        let mut there = event(Write, None, TraceVerdict::Allowed);
        "/out/figure-1.png".clone_into(&mut there.what);
        let mut beside = there.clone();
        "/outside".clone_into(&mut beside.what);
        let mut gone = there.clone();
        gone.kind = Delete;
        let mut out_again = there.clone();
        "/out/../workspace/main.py".clone_into(&mut out_again.what);
        let mut deeper = out_again.clone();
        "/out/a/..".clone_into(&mut deeper.what);
        let mut dots = there.clone();
        "/out/..figure/a..b".clone_into(&mut dots.what);
        let mut trace = Trace::default();
        trace.events = vec![there, beside, gone, out_again, deeper, dots];
        for (asked, unforetold) in [(true, vec![1, 2, 3, 4]), (false, vec![0, 1, 2, 3, 4, 5])] {
            compare(&mut [], &mut trace, "main.py", asked);
            assert_eq!(trace.unforetold, unforetold);
        }
    }

    #[test]
    fn a_link_is_in_out_where_its_new_name_is() {
        for (call, what, asked_for) in [
            ("link", "/workspace/x to /out/y", true),
            ("linkat", "/out/x to /out/y", true),
            ("linkat", "/out/x to /workspace/y", false),
            ("link", "/out/x", false),
            // Names that hold the word themselves.
            ("link", "/workspace/x to /out/y to /workspace/z", false),
            ("link", "/out/x to /workspace/y to /out/z", false),
            ("link", "/out/x to /out/../workspace/y", false),
            ("symlinkat", "/out/y to /workspace/x", true),
            ("symlinkat", "/workspace/y to /out/x", false),
            // Of these the interpreter says what they lead to.
            ("os.link", "/out/x", false),
            ("os.symlink", "/out/x", false),
            ("openat", "/out/a to b", true),
        ] {
            let mut link = event(Write, None, TraceVerdict::Allowed);
            call.clone_into(&mut link.call);
            what.clone_into(&mut link.what);
            let mut trace = Trace::default();
            trace.events = vec![link];
            compare(&mut [], &mut trace, "main.py", true);
            assert_eq!(trace.unforetold.is_empty(), asked_for, "{call} {what}");
        }
    }

    #[test]
    fn an_act_elsewhere_leaves_shell_text_and_flows_open() {
        let events = vec![event(Process, Some(2), TraceVerdict::Allowed)];
        let findings = vec![finding("SR221", 9), finding("SR901", 9)];
        let (findings, _) = compared(findings, events);
        assert_eq!((findings[0].observed, findings[1].observed), (None, None));
        let (findings, _) = compared(vec![finding("SR221", 9)], Vec::new());
        assert_eq!(findings[0].observed, Some(Observation::NotReached));
    }

    #[test]
    fn nothing_is_called_not_reached_where_the_trace_has_gaps() {
        for (unavailable, left_out) in [(Some("gVisor".to_owned()), 0), (None, 1)] {
            let mut findings = vec![finding("SR303", 4)];
            let mut trace = Trace::default();
            (trace.unavailable, trace.left_out) = (unavailable, left_out);
            compare(&mut findings, &mut trace, "main.py", false);
            assert_eq!(findings[0].observed, None);
        }
    }

    #[test]
    fn gaps_of_a_kind_leave_open_what_findings_of_that_kind_foretell() {
        for (kind, expected) in [(Delete, None), (Write, Some(Observation::Refused))] {
            let mut findings = vec![finding("SR303", 4)];
            let mut trace = Trace::default();
            trace.events = vec![event(Delete, Some(4), TraceVerdict::Refused)];
            trace.left_out = 7;
            trace.left_out_by_kind = [(kind, 7)].into();
            compare(&mut findings, &mut trace, "tools/main.py", false);
            assert_eq!(findings[0].observed, expected, "{kind:?}");
            trace.events.clear();
            compare(&mut findings, &mut trace, "tools/main.py", false);
            let expected = expected.map(|_| Observation::NotReached);
            assert_eq!(findings[0].observed, expected, "{kind:?}");
            trace.events = vec![event(Delete, Some(4), TraceVerdict::Allowed)];
            compare(&mut findings, &mut trace, "tools/main.py", false);
            assert_eq!(findings[0].observed, Some(Observation::Observed));
        }
    }

    /// A rule whose number is taken by another one would be marked by the wrong events.
    #[test]
    fn the_numbers_are_those_of_rules() {
        let known = |number: u32| {
            let id = format!("SR{number}");
            saferun_scanner::explained_rules().any(|rule| rule.id == id)
        };
        for (number, name) in [
            (202, "process-start"),
            (303, "deletes-tree"),
            (305, "writes-file"),
            (401, "reads-ssh-keys"),
            (501, "writes-shell-startup"),
            (601, "http-request"),
            (824, "deletes-itself"),
            (901, "secret-file-sent"),
        ] {
            let rule = saferun_scanner::explain(&format!("SR{number}")).map(|doc| doc.rule.name);
            assert_eq!(rule, Some(name));
        }
        let marked = (0..1000).filter(|number| !acts(*number).kinds.is_empty());
        let strange: Vec<u32> = marked.filter(|number| !known(*number)).collect();
        assert_eq!(strange, Vec::<u32>::new());
    }
}
