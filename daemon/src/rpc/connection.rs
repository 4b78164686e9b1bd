//! One connection: HTTP with a deadline for each head and each body, upgraded to WebSocket on request.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use jsonrpsee::{Methods, server::StopHandle};
use tokio::{
    net::UnixStream,
    time::{Sleep, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    listen::{ConnectionClosed, Peer, ServiceBuilder},
    seats::Seat,
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// From the connection, or the last answer on it, to the end of the next request's head.
const HEAD: Duration = Duration::from_secs(10);
/// A request's body, from its head. The largest allowed has 17 MB, and the way is a socket of this machine.
const BODY: Duration = Duration::from_secs(30);
/// Most bytes of a head.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Serves it until it ends, is given up, or the daemon stops. Boxed here, where the compiler can still see that it is
/// `Send`.
pub(super) fn serve(
    socket: UnixStream,
    peer: Peer,
    seat: Seat,
    methods: Methods,
    builder: ServiceBuilder,
    stop: StopHandle,
) -> Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>> {
    let (shutdown, gone, seat) = (stop.clone().shutdown(), seat.gone(), Arc::new(seat));
    let speaker = Arc::clone(&seat);
    let service = tower::service_fn(move |request: hyper::Request<Incoming>| {
        speaker.speaks();
        let mut request = request.map(Timed::new);
        let mut service = builder.clone().build(methods.clone(), stop.clone());
        let closed = CancellationToken::new();
        request.extensions_mut().insert(peer);
        request
            .extensions_mut()
            .insert(ConnectionClosed(closed.clone()));
        if jsonrpsee::server::ws::is_upgrade_request(&request) {
            let (session, ended) = (service.on_session_closed(), closed.clone());
            // A WebSocket outlives the HTTP connection, and keeps its place until it ends.
            let seat = Arc::clone(&speaker);
            tokio::spawn(async move {
                session.await;
                ended.cancel();
                drop(seat);
            });
        }
        async move {
            // An HTTP call whose connection closes is dropped here, and with it this guard.
            let guard = closed.drop_guard();
            let answer = tower::Service::call(&mut service, request).await;
            guard.disarm();
            answer.map_err(io::Error::other)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD_BYTES);
    Box::pin(async move {
        let _seat = seat;
        let connection = http
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service))
            .with_upgrades();
        tokio::pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = gone.cancelled() => return Ok(()),
            () = shutdown => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    })
}

/// A body that must be there within [`BODY`].
struct Timed {
    body: Incoming,
    late: Pin<Box<Sleep>>,
}

impl Timed {
    fn new(body: Incoming) -> Self {
        Self {
            body,
            late: Box::pin(sleep(BODY)),
        }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        self.late.as_mut().poll(context).map(|()| {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the request came too slowly");
            Some(Err(error.into()))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
