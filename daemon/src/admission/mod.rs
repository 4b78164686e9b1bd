//! Whether a run that the policy lets through may begin now: its place among those under way, and its rate.

mod gate;
mod places;
mod rates;
mod rates_file;

pub(crate) use gate::{Gate, Place};
pub(crate) use places::Want;
pub(crate) use rates::Rates;
