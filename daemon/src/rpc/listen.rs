//! The socket: bound with tight permissions, guarded by the peer's uid, bounded in connections.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt},
    path::Path,
    time::Duration,
};

use jsonrpsee::{
    Methods,
    core::middleware::RpcServiceBuilder,
    server::{BatchRequestConfig, Server, ServerConfig, StopHandle},
};
use saferun_protocol::MAX_REQUEST_BYTES;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};
use tokio_util::sync::CancellationToken;

use super::{
    connection,
    half_sent::Room,
    large::LargeLayer,
    seats::{MAX_CONNECTIONS, Seats},
};

pub(super) type ServiceBuilder = jsonrpsee::server::TowerServiceBuilder<
    tower::layer::util::Stack<LargeLayer, tower::layer::util::Identity>,
    tower::layer::util::Identity,
>;

/// Bytes of a refused request that are waited for.
const MAX_REFUSED: u64 = 64 * 1024;
/// After `accept` failed for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// An upper bound for one answer: the output of a run with the largest cap, as JSON.
const MAX_RESPONSE_BYTES: u32 = 512 * 1024 * 1024;

/// Messages that wait for one connection's reader, each of up to 64 KiB of output: what one that does not read costs.
const MESSAGES: u32 = 16;

/// The socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// Something stands at its path.
    #[error(transparent)]
    Path(#[from] saferun_protocol::SocketPathError),
    /// Another daemon answers there.
    #[error("another daemon already listens at {path}")]
    Taken {
        /// The path.
        path: String,
    },
    /// The system says no.
    #[error("cannot listen at {path}: {source}")]
    Io {
        /// The path.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// The peer as the kernel says, in each request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// From `SO_PEERCRED`.
    pub(crate) uid: u32,
}

/// Cancelled when the request's connection closes; in each request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionClosed(pub(crate) CancellationToken);

/// Binds the socket. A stale one is removed, but only if it is a socket of ours that nobody answers at.
/// The process's umask must be 077 already, so that the socket is never open to others.
pub(crate) fn bind(path: &Path) -> Result<UnixListener, ListenError> {
    let io = |source| ListenError::Io {
        path: path.display().to_string(),
        source,
    };
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(io)?;
    }
    saferun_protocol::verify_socket(path)?;
    if let Ok(meta) = std::fs::symlink_metadata(path) {
        let mine = meta.uid() == nix::unistd::geteuid().as_raw();
        match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => {
                return Err(ListenError::Taken {
                    path: path.display().to_string(),
                });
            }
            Err(error)
                if error.kind() == io::ErrorKind::ConnectionRefused
                    && mine
                    && meta.file_type().is_socket() =>
            {
                std::fs::remove_file(path).map_err(io)?;
            }
            Err(error) => return Err(io(error)),
        }
    }
    UnixListener::bind(path).map_err(io)
}

/// Serves until told to stop. From `full` on no connection is added to those that there are.
pub(crate) async fn serve(
    listener: UnixListener,
    methods: Methods,
    stop: StopHandle,
    full: CancellationToken,
) {
    serve_in(Room::default(), listener, methods, stop, full).await;
}

async fn serve_in(
    room: Room,
    listener: UnixListener,
    methods: Methods,
    stop: StopHandle,
    full: CancellationToken,
) {
    let config = ServerConfig::builder()
        .max_connections(u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX))
        .max_request_body_size(MAX_REQUEST_BYTES)
        .max_response_body_size(MAX_RESPONSE_BYTES)
        .max_subscriptions_per_connection(16)
        .set_batch_request_config(BatchRequestConfig::Disabled)
        .set_message_buffer_capacity(MESSAGES)
        .build();
    let builder = Server::builder()
        .set_config(config)
        .set_rpc_middleware(RpcServiceBuilder::new().layer(LargeLayer::default()))
        .to_service_builder();
    let mine = nix::unistd::geteuid().as_raw();
    let seats = Seats::default();
    loop {
        let accepted = tokio::select! {
            biased;
            // First, so that those who were already in the queue get an answer.
            accepted = listener.accept() => accepted,
            () = stop.clone().shutdown() => return,
            () = full.cancelled() => break,
        };
        let socket = match accepted {
            Ok((socket, _)) => socket,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(credentials) = socket.peer_cred() else {
            continue;
        };
        let uid = credentials.uid();
        if uid != mine {
            tracing::warn!(uid, "a connection of another user was refused");
            tokio::spawn(refuse(
                socket,
                "403 Forbidden",
                "this daemon serves its own user only",
            ));
            continue;
        }
        let Some(seat) = seats.take(uid) else {
            tokio::spawn(refuse(
                socket,
                "503 Service Unavailable",
                "too many connections",
            ));
            continue;
        };
        let (methods, stop, builder) = (methods.clone(), stop.clone(), builder.clone());
        let place = (seat, room.clone());
        tokio::spawn(async move {
            let served = connection::serve(socket, Peer { uid }, place, methods, builder, stop);
            if let Err(error) = served.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    stop.shutdown().await;
}

/// Says why over HTTP, which every client understands, and closes.
async fn refuse(mut socket: UnixStream, status: &'static str, why: &'static str) {
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{why}\n",
        why.len() + 1
    );
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        socket.write_all(answer.as_bytes()).await?;
        socket.shutdown().await?;
        // What it asks is taken and dropped: closing over it would lose the answer with it.
        let asked = &mut socket.take(MAX_REFUSED);
        tokio::io::copy(asked, &mut tokio::io::sink()).await
    })
    .await;
}

#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
