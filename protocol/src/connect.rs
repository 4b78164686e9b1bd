//! Connecting to the daemon: one WebSocket over the Unix socket, with a deadline.

use std::{path::Path, time::Duration};

use jsonrpsee::{
    client_transport::ws::{Url, WsTransportClientBuilder},
    core::client::{Client as RpcClient, ClientBuilder},
};
use tokio::net::UnixStream;

use crate::{
    request::MAX_REQUEST_BYTES,
    socket::{SocketPathError, verify_socket},
};

/// A connection to the daemon; the methods are those of [`crate::ApiClient`].
pub type Client = RpcClient;

/// No connection came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The path cannot be trusted.
    #[error(transparent)]
    Path(#[from] SocketPathError),
    /// Nobody listens.
    #[error("no SafeRun daemon answers at {path}: {source}")]
    Io {
        /// The socket's path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody listens who does not speak our protocol, or not in time.
    #[error("what listens at {path} is no SafeRun daemon: {reason}")]
    Handshake {
        /// The socket's path.
        path: String,
        /// Why.
        reason: String,
    },
}

/// Connects to the daemon's socket. Calls on the connection have no deadline of their own, because a
/// run may be long: the caller bounds them.
///
/// # Errors
/// [`ConnectError`] if the path is not to be trusted, nobody listens, or the handshake takes over 5 s.
pub async fn connect(path: &Path) -> Result<Client, ConnectError> {
    verify_socket(path)?;
    let name = || path.display().to_string();
    let stream = UnixStream::connect(path)
        .await
        .map_err(|source| ConnectError::Io {
            path: name(),
            source,
        })?;
    let handshake = |reason: String| ConnectError::Handshake {
        path: name(),
        reason,
    };
    // The host is not used: the stream is already connected.
    let url = Url::parse("ws://localhost/").map_err(|error| handshake(error.to_string()))?;
    let deadline = Duration::from_secs(5);
    let build = WsTransportClientBuilder::default()
        .connection_timeout(deadline)
        .max_request_size(MAX_REQUEST_BYTES)
        .max_response_size(64 * 1024 * 1024)
        .build_with_stream(url, stream);
    let (sender, receiver) = tokio::time::timeout(deadline, build)
        .await
        .map_err(|_| handshake("no answer within 5 s".to_owned()))?
        .map_err(|error| handshake(error.to_string()))?;
    Ok(ClientBuilder::new()
        .request_timeout(Duration::from_secs(24 * 3600))
        .max_buffer_capacity_per_subscription(16_384)
        .build_with_tokio(sender, receiver))
}
