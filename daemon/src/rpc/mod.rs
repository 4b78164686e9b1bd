//! JSON-RPC on the Unix socket: who may connect (`listen`), what they may call (`methods`), and how
//! events become subscription items (`stream`).

mod listen;
mod methods;
mod stream;

pub(crate) use listen::{bind, serve};
pub(crate) use methods::Methods;
