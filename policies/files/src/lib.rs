//! Where policy files are on this machine, and their texts as far as they may be trusted. The one place that opens
//! them, for daemon, command line and editors alike. Decides nothing: what a text means is the policy crate's.

mod places;
mod project;
mod read;
mod variables;

pub use places::{PlaceError, Places};
pub use project::{PROJECT_FILE, find_projects, projects};
pub use read::{FileError, read, read_chosen, read_to_check};
pub use variables::variables;
