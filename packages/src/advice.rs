//! What to tell somebody whose script misses modules.

use crate::names::{is_known, is_standard, nearest, project_of};

/// Most modules that are spoken of.
const MAX_MODULES: usize = 8;

/// An image that could have run the script.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The variant's name.
    pub variant: &'a str,
    /// Projects that it has, in normal form.
    pub projects: &'a [String],
    /// Whether it is built.
    pub built: bool,
}

/// One sentence for each missing module, and one that says what to do, or nothing for none missing.
/// `modules` are the top-level modules that the image of the run does not have, cheapest offer first.
#[must_use]
pub fn advise(modules: &[&str], offers: &[Offer<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut wanted: Vec<String> = Vec::new();
    for module in modules.iter().copied().take(MAX_MODULES) {
        if is_standard(module) {
            lines.push(format!(
                "`{module}` belongs to the standard library but not to this Python: it was removed from it, or needs a screen"
            ));
            continue;
        }
        let project = project_of(module);
        let holder = offers
            .iter()
            .find(|offer| offer.projects.contains(&project));
        if let Some(offer) = holder {
            lines.push(format!("`{module}` is in the image {}", offer.variant));
            wanted.push(project);
        } else if is_known(&project) {
            let called = if project == module {
                String::new()
            } else {
                format!(" (its project is called {project})")
            };
            lines.push(format!("`{module}` is in no image of yours{called}"));
            wanted.push(project);
        } else {
            let end = nearest(module)
                .map_or_else(|| ".".to_owned(), |name| format!("; did it mean `{name}`?"));
            lines.push(format!(
                "`{module}` is no well-known package: the model may have invented it{end} Look it up before you install it: attackers register such names"
            ));
        }
    }
    lines.extend(what_to_do(&wanted, offers));
    lines
}

/// The command that helps with everything that exists.
fn what_to_do(wanted: &[String], offers: &[Offer<'_>]) -> Option<String> {
    if wanted.is_empty() {
        return None;
    }
    let whole = offers
        .iter()
        .find(|offer| wanted.iter().all(|name| offer.projects.contains(name)));
    Some(match whole {
        Some(offer) if offer.built => {
            format!("run it there: saferunctl run --image {}", offer.variant)
        }
        Some(offer) => format!("build that image: saferunctl image build {}", offer.variant),
        None => format!(
            "add what is missing: saferunctl image add {}",
            wanted.join(" ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(modules: &[&str], built: bool) -> Vec<String> {
        let projects = ["numpy".to_owned(), "scikit-learn".to_owned()];
        advise(
            modules,
            &[Offer {
                variant: "python-data",
                projects: &projects,
                built,
            }],
        )
    }

    #[test]
    fn what_an_image_has_leads_to_that_image() {
        let build = "build that image: saferunctl image build python-data";
        assert_eq!(
            say(&["sklearn"], false),
            ["`sklearn` is in the image python-data", build]
        );
        assert_eq!(
            say(&["numpy"], true)[1],
            "run it there: saferunctl run --image python-data"
        );
    }

    #[test]
    fn what_no_image_has_is_added_together() {
        assert_eq!(
            say(&["numpy", "cv2", "humanize"], true),
            [
                "`numpy` is in the image python-data",
                "`cv2` is in no image of yours (its project is called opencv-python)",
                "`humanize` is in no image of yours",
                "add what is missing: saferunctl image add numpy opencv-python humanize",
            ]
        );
    }

    #[test]
    fn an_invented_name_is_called_so_and_never_put_into_a_command() {
        let lines = say(&["fastjsonx_turbo"], true);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].contains("may have invented it. Look it up"),
            "{lines:?}"
        );
        let slip = say(&["matplotib"], true);
        assert!(
            slip[0].contains("did it mean `matplotlib`? Look"),
            "{slip:?}"
        );
        assert_eq!(say(&[], true), [""; 0]);
    }
}
