//! Who asks, by the socket's own word, and what only some may.

use jsonrpsee::{Extensions, types::ErrorObjectOwned};
use saferun_protocol::Code;
use tokio_util::sync::CancellationToken;

use super::listen::{ConnectionClosed, Peer};

/// What changes things for all is for the daemon's own user, and for root.
pub(super) fn only_the_owner(extensions: &Extensions, what: &str) -> Result<(), ErrorObjectOwned> {
    let owner = nix::unistd::geteuid().as_raw();
    if [0, owner].contains(&peer(extensions)?.uid) {
        return Ok(());
    }
    Err(Code::Forbidden.error(
        format!("only the user of the daemon can {what}"),
        "ask who runs the daemon",
    ))
}

/// Who is at the other end.
pub(super) fn peer(extensions: &Extensions) -> Result<Peer, ErrorObjectOwned> {
    extensions.get::<Peer>().copied().ok_or_else(|| {
        Code::Forbidden.error(
            "the connection has no known peer",
            "connect through the Unix socket",
        )
    })
}

/// Folders of the host are named only by the user whose rights the daemon reads them with.
pub(super) fn own_user(extensions: &Extensions) -> Result<(), ErrorObjectOwned> {
    if peer(extensions)?.uid == nix::unistd::geteuid().as_raw() {
        return Ok(());
    }
    Err(Code::Forbidden.error(
        "only the daemon's own user may watch folders",
        "start a daemon of your own: saferunctl daemon start",
    ))
}

/// Cancelled when the connection of this request closes.
pub(super) fn closed(extensions: &Extensions) -> CancellationToken {
    extensions
        .get::<ConnectionClosed>()
        .map(|closed| closed.0.clone())
        .unwrap_or_default()
}
