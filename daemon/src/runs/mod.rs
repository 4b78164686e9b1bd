//! A run from request to account: check and scan (`admit`), wait for a container, execute (`carry`, `execute`),
//! tell (`output`, `transcript`), judge how it ended (`verdict`). The registry knows which are under way.

mod account;
mod admit;
mod carry;
mod evidence;
mod execute;
mod files;
mod foretold;
mod gather;
mod image_age;
mod listener;
mod output;
mod pending;
mod pick;
mod refused;
mod registry;
mod service;
mod stages;
mod template;
mod transcript;
mod verdict;
mod waiting;
pub(crate) mod wire;

pub(crate) use listener::Listener;
pub(crate) use registry::Caller;
pub(crate) use service::RunService;
pub(crate) use template::default_template;
pub(crate) use transcript::{Place as LogPlace, Transcript, fill};
