//! One connection: HTTP with a deadline for each head and each body, upgraded to WebSocket on request. How much may be
//! half-sent, and for how long, says [`HalfSent`].

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    StatusCode,
    body::{Body, Frame, Incoming, SizeHint},
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use jsonrpsee::{
    Methods,
    server::{HttpBody, HttpResponse, StopHandle},
};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

use super::{
    half_sent::{HalfSent, Room},
    listen::{ConnectionClosed, Peer, ServiceBuilder},
    metered::Metered,
    seats::Seat,
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// From the connection, or the last answer on it, to the end of the next request's head.
const HEAD: Duration = Duration::from_secs(10);
/// Most bytes of a head.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Serves it until it ends, is given up, or the daemon stops. Boxed here, where the compiler can still see that it is
/// `Send`.
pub(super) fn serve(
    socket: UnixStream,
    peer: Peer,
    (seat, room): (Seat, Room),
    methods: Methods,
    builder: ServiceBuilder,
    stop: StopHandle,
) -> Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>> {
    let (shutdown, gone, seat) = (stop.clone().shutdown(), seat.gone(), Arc::new(seat));
    let speaker = Arc::clone(&seat);
    let (socket, meter) = Metered::new(socket, room.clone());
    let service = tower::service_fn(move |request: hyper::Request<Incoming>| {
        speaker.speaks();
        // What follows a head with a body is not frames yet.
        let bare = request.body().is_end_stream();
        let mut request = request.map(|body| Timed::new(body, room.begin()));
        let mut service = builder.clone().build(methods.clone(), stop.clone());
        let closed = CancellationToken::new();
        request.extensions_mut().insert(peer);
        request
            .extensions_mut()
            .insert(ConnectionClosed(closed.clone()));
        let upgrade = jsonrpsee::server::ws::is_upgrade_request(&request);
        let sound = !upgrade || (bare && meter.becomes_a_websocket());
        if upgrade && sound {
            let (session, ended) = (service.on_session_closed(), closed.clone());
            // A WebSocket outlives the HTTP connection, and keeps its place until it ends.
            let seat = Arc::clone(&speaker);
            tokio::spawn(async move {
                session.await;
                ended.cancel();
                drop(seat);
            });
        }
        let meter = meter.clone();
        async move {
            if !sound {
                return Ok(early());
            }
            // An HTTP call whose connection closes is dropped here, and with it this guard.
            let guard = closed.drop_guard();
            let answer = tower::Service::call(&mut service, request).await;
            guard.disarm();
            let upgraded =
                |answer: &HttpResponse| answer.status() == StatusCode::SWITCHING_PROTOCOLS;
            if upgrade && !answer.as_ref().is_ok_and(upgraded) {
                meter.stays_http();
            }
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

/// The answer to who asks for a WebSocket after something else, or sends more before it is one.
fn early() -> HttpResponse {
    let why = "a WebSocket is asked for first of all on a connection, and nothing is sent before the answer\n";
    let mut answer = HttpResponse::new(HttpBody::from(why));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    let close = HeaderValue::from_static("close");
    answer.headers_mut().insert(CONNECTION, close);
    answer
}

/// A body that must be there in time, and counts until then.
struct Timed {
    body: Incoming,
    half: HalfSent,
    got: u64,
}

impl Timed {
    fn new(body: Incoming, half: HalfSent) -> Self {
        let got = 0;
        Self { body, half, got }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            let given_up = self.half.poll_given_up(context);
            return given_up.map(|error| Some(Err(error.into())));
        };
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.got += u64::try_from(bytes).unwrap_or(u64::MAX);
            let got = self.got;
            if let Err(error) = self.half.holds(got) {
                return Poll::Ready(Some(Err(error.into())));
            }
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
