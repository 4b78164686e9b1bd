//! `doctor --fix`: says what it will do, asks, does it.

mod facts;
mod perform;
mod plan;

use std::io::{BufRead, IsTerminal, stdin, stdout};

use crate::{
    failure::Failure,
    ui::{self, Paint, Progress},
};
use perform::{Outcome, Root, perform};
use plan::{ENGINE_SETTINGS, Facts, Step, plan};

use super::engine::Found;

/// Mends what it can. `image`: whether the image is there and current, if anybody could be asked. Returns false if
/// the user did not want it.
pub(super) async fn fix(engine: &Found, image: Option<bool>, yes: bool) -> Result<bool, Failure> {
    let facts = facts::look(engine, image);
    let steps = plan(&facts);
    if steps.is_empty() {
        ui::line("nothing is missing that `doctor --fix` could mend\n");
        return Ok(true);
    }
    ui::out(shown(&facts, &steps));
    let own: Vec<_> = steps.iter().filter(|step| is_ours(step)).collect();
    if own.is_empty() {
        return Ok(true);
    }
    if !yes && !agreed()? {
        ui::note("nothing was done");
        return Ok(false);
    }
    let root = match (facts.root, stdin().is_terminal()) {
        (true, _) => Root::Is,
        (false, true) => Root::Asks,
        (false, false) => Root::Quietly,
    };
    for (at, step) in own.iter().enumerate() {
        let mut progress = Progress::new(false);
        progress.step(&title(step), number(at + 1), number(own.len()));
        let outcome = perform(step, root, &mut progress).await;
        progress.end();
        match outcome {
            Outcome::Done => ui::note(format!("  done: {}", title(step))),
            Outcome::Skipped(why) => ui::note(format!("  left out: {}: {why}", title(step))),
            Outcome::Failed(why) => {
                let said = format!("{}: {why}{}", title(step), progress.said());
                if !matches!(step, Step::Run { optional: true, .. }) {
                    return Err(Failure::failed(
                        said,
                        "mend that, then again: saferunctl doctor --fix",
                    ));
                }
                ui::note(format!("  went without: {said}"));
            }
        }
    }
    ui::line("");
    Ok(true)
}

fn is_ours(step: &Step) -> bool {
    !matches!(step, Step::Tell(..))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn title(step: &Step) -> String {
    match step {
        Step::Run { what, .. } | Step::Tell(what, _) => what.clone(),
        Step::Settings { .. } => "register gVisor with the engine".to_owned(),
        Step::Await => "wait until the engine answers".to_owned(),
        Step::Image => "build the sandbox image, if it is not current".to_owned(),
    }
}

/// Where the engine's settings of before go, if there are any.
fn kept(facts: &Facts) -> String {
    match facts.settings {
        Ok(None) => String::new(),
        _ => format!(
            "\n     what was there is kept as {ENGINE_SETTINGS}.~1~, or the next free number"
        ),
    }
}

/// Asks on the terminal.
fn agreed() -> Result<bool, Failure> {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return Err(Failure::usage(
            "nothing was done: there is no terminal to ask at",
            "if you want all of that: saferunctl doctor --fix --yes",
        ));
    }
    ui::err("Do this? [y/N] ");
    let mut answer = String::new();
    stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::failed(format!("the answer cannot be read: {error}"), ""))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The plan for people: every command as it will be started.
fn shown(facts: &Facts, steps: &[Step]) -> String {
    let paint = Paint::stdout();
    let sudo = if facts.root { "" } else { "sudo " };
    let mut text = String::new();
    let mut part = |heading: &str, ours: bool| {
        let listed: Vec<_> = steps.iter().filter(|step| is_ours(step) == ours).collect();
        if listed.is_empty() {
            return;
        }
        text.push_str(heading);
        for (at, step) in listed.iter().enumerate() {
            let how = match step {
                Step::Run { argv, root, .. } => {
                    format!("{}{}", if *root { sudo } else { "" }, argv.join(" "))
                }
                Step::Settings { contents, .. } => format!(
                    "{sudo}{}, with: {}{}",
                    perform::install_settings().join(" "),
                    contents.split_whitespace().collect::<Vec<_>>().join(" "),
                    kept(facts),
                ),
                Step::Await => format!("for {} s at most", perform::AWAITED.as_secs()),
                Step::Image => "saferunctl image build python".to_owned(),
                Step::Tell(_, how) => how.clone(),
            };
            for piece in [
                &format!("{:>3}. {}\n", at + 1, title(step)),
                "     ",
                &paint.dim(&how),
                "\n",
            ] {
                text.push_str(piece);
            }
        }
        text.push('\n');
    };
    part("doctor --fix will:\n", true);
    part("This is left for you:\n", false);
    text
}
