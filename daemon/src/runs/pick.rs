//! The image of a run: picked by request, policy and imports, checked for its age; and what is said
//! when a module was missing in it.

use jsonrpsee::types::ErrorObjectOwned;
use saferun_packages::{Offer, advise, missing_module};
use saferun_policy::Policy;
use saferun_protocol::{Code, Outcome, RunRequest, RunResult};

use super::image_age;
use crate::{
    image::{self, Needs, absent},
    world::World,
};

/// What the program must have written last for advice to be given: that much is looked at.
pub(super) const STDERR_END: usize = 2_048;

/// The image that a run gets.
pub(super) struct Picked {
    pub(super) image: String,
    pub(super) variant: String,
    /// That the image is old.
    pub(super) warning: Option<String>,
    /// Said when the run ends for want of a module.
    pub(super) advice: Vec<String>,
    modules: Vec<String>,
}

/// Picks the image.
pub(super) fn pick(
    request: &RunRequest,
    needs: &Needs,
    policy: &Policy,
    world: &World,
) -> Result<Picked, ErrorObjectOwned> {
    let wanted = world.wanted.as_deref().unwrap_or_default();
    let variant = image::choose(
        request.image.as_deref(),
        policy.image.variant,
        needs,
        wanted,
        |name| world.image(name).is_ok(),
    )
    .map_err(|why| {
        Code::InvalidRequest.error(
            why,
            "`saferunctl image list` shows the images that there are",
        )
    })?;
    let id = world.image(&variant)?;
    let warning = image_age::check(
        &variant,
        world.created(&id),
        &policy.image,
        jiff::Timestamp::now(),
    )?;
    let own = wanted.iter().find(|known| known.variant == variant);
    let missing = absent(needs, own);
    let offers: Vec<Offer<'_>> = wanted
        .iter()
        .filter(|known| !known.projects.is_empty() && known.variant != variant)
        .map(|known| Offer {
            variant: &known.variant,
            projects: &known.projects,
            built: world.image(&known.variant).is_ok(),
        })
        .collect();
    Ok(Picked {
        image: id,
        warning,
        advice: advise(&missing, &offers),
        modules: missing.into_iter().map(str::to_owned).collect(),
        variant,
    })
}

impl Picked {
    /// Puts what there is to say into the result. `stderr` is the end of what the program wrote there.
    pub(super) fn tell(self, stderr: &[u8], result: &mut RunResult) {
        let failed = result.status == Outcome::Completed && result.exit_code == Some(1);
        let text = String::from_utf8_lossy(stderr);
        let Some(missing) = missing_module(&text).filter(|_| failed) else {
            return;
        };
        if self.modules.iter().any(|module| module == missing) {
            result.advice.extend(self.advice);
        } else {
            // Not among the imports that the scan saw: computed at run time, or of another module.
            result.advice.extend(advise(&[missing], &[]));
        }
    }
}
