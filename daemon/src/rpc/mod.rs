//! JSON-RPC on the Unix socket: who hands us the socket (`activation`), who may
//! connect (`listen`, `seats`), how long they may take and how much may be on its way (`connection`, `half_sent`,
//! `metered`), what they may call (`methods`, and `large` where the call is), and how events become subscription items (`stream`).

mod activation;
mod connection;
mod half_sent;
mod large;
mod listen;
mod metered;
mod methods;
mod peer;
mod receipt;
mod seats;
mod stream;

pub(crate) use activation::{listener, ready, stopping};
pub(crate) use listen::serve;
pub(crate) use methods::Methods;
