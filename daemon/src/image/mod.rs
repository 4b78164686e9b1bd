//! Images: which variants there are, which one a run gets, and how they are built. Knows no engine
//! but its trait.

mod catalog;
mod choose;
mod service;

pub(crate) use catalog::{Catalog, Wanted};
pub(crate) use choose::{Needs, absent, choose};
pub(crate) use saferun_image::{
    LABEL_DIGEST as DIGEST_LABEL, LABEL_VARIANT as VARIANT_LABEL, VARIANT_PYTHON as VARIANT,
};
pub(crate) use service::ImageService;
