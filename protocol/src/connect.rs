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
    /// Whoever listens is another user, who came between the look at the path and the connection.
    #[error(
        "what listens at {path} runs as uid {owner}: refused, because that user could read what you run"
    )]
    ForeignPeer {
        /// The socket's path.
        path: String,
        /// Whose process it is, as the kernel says.
        owner: u32,
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
    let me = nix::unistd::geteuid().as_raw();
    verify_peer(&stream, me, path)?;
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

/// Where nothing stood when the path was looked at, anybody could have put a socket of their own a moment later: the
/// kernel says who listens. Root may be the service manager, which listens in the daemon's place.
fn verify_peer(stream: &UnixStream, me: u32, path: &Path) -> Result<(), ConnectError> {
    let path = || path.display().to_string();
    let owner = stream
        .peer_cred()
        .map_err(|source| ConnectError::Io {
            path: path(),
            source,
        })?
        .uid();
    if owner == me || owner == 0 {
        return Ok(());
    }
    Err(ConnectError::ForeignPeer {
        path: path(),
        owner,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_of_another_user_is_refused_by_the_kernels_word() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let me = nix::unistd::geteuid().as_raw();
        let path = Path::new("/run/s.sock");
        assert!(verify_peer(&ours, me, path).is_ok());
        let refused = verify_peer(&ours, me + 1, path);
        // Root is let in whoever asks: its socket may be that of the service manager.
        assert_eq!(refused.is_ok(), me == 0, "{refused:?}");
        if let Err(error) = refused {
            assert!(error.to_string().contains(&format!("uid {me}")), "{error}");
        }
    }
}
