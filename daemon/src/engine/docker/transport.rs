//! The way to the engine: one connection for each request, and a bound on what an answer may hold.
//!
//! bollard collects an answer's whole body in memory. An engine that is broken, or something else that
//! answers in its place, must not fill the daemon's with it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker, errors::Error};
use hyper::header::UPGRADE;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};

/// Most bytes of one answer, head and body. The description of 1,000 images takes about 1 MB.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;

/// bollard's own limit for a request, in seconds; ours in [`super::deadlines`] are all shorter.
const CLIENT_TIMEOUT_S: u64 = 600;

/// Where the engine listens.
#[derive(Debug, Clone)]
enum Address {
    Unix(String),
    Tcp(String),
}

impl Address {
    fn parse(text: &str) -> Result<Self, Error> {
        if let Some(path) = text.strip_prefix("unix://") {
            if std::path::Path::new(path).exists() {
                return Ok(Self::Unix(path.to_owned()));
            }
            return Err(Error::SocketNotFoundError(path.to_owned()));
        }
        text.strip_prefix("tcp://")
            .or_else(|| text.strip_prefix("http://"))
            .map(|host| Self::Tcp(host.trim_end_matches('/').to_owned()))
            .ok_or_else(|| Error::UnsupportedURISchemeError {
                uri: text.to_owned(),
            })
    }
}

/// A client of the engine at `unix:///path`, `tcp://host:port` or `http://host:port`. Nothing is sent yet.
pub(super) fn open(address: &str) -> Result<Docker, Error> {
    let address = Address::parse(address)?;
    let host = match &address {
        Address::Unix(_) => "localhost".to_owned(),
        Address::Tcp(host) => host.clone(),
    };
    let client = |limit: Option<u64>| {
        let address = address.clone();
        let connect = move |_: hyper::Uri| {
            let address = address.clone();
            Box::pin(async move { Line::connect(&address, limit).await.map(TokioIo::new) })
        };
        Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(tower::service_fn(connect))
    };
    // The streams of a container are bounded where they are read, frame by frame.
    let (answers, streams) = (client(Some(MAX_ANSWER)), client(None));
    let transport = move |mut request: BollardRequest| {
        one_change_each(request.uri_mut());
        let client = if request.headers().contains_key(UPGRADE) {
            &streams
        } else {
            &answers
        };
        let sent = client.request(request);
        async move { sent.await.map_err(Error::from) }
    };
    Docker::connect_with_custom_transport(
        transport,
        Some(format!("http://{host}")),
        CLIENT_TIMEOUT_S,
        API_DEFAULT_VERSION,
    )
}

/// bollard puts the changes of an import into one parameter, a line for each, which Docker takes apart and Podman takes
/// for one. As parameters of their own, both take them. No change of ours has two lines.
fn one_change_each(uri: &mut hyper::Uri) {
    if !uri.path().ends_with("/images/create") {
        return;
    }
    let text = uri.to_string().replace("%0A", "&changes=");
    if let Ok(apart) = text.parse() {
        *uri = apart;
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// One connection.
struct Line {
    stream: Box<dyn Duplex>,
    /// Bytes that may still be read.
    left: Option<u64>,
}

impl Line {
    async fn connect(address: &Address, limit: Option<u64>) -> io::Result<Self> {
        let stream: Box<dyn Duplex> = match address {
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Address::Tcp(host) => Box::new(TcpStream::connect(host).await?),
        };
        Ok(Self {
            stream,
            left: limit,
        })
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let count = (buffer.filled().len() - before) as u64;
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(count).ok_or_else(|| {
                io::Error::other(format!(
                    "its answer is longer than {} MiB",
                    MAX_ANSWER >> 20
                ))
            })?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_of_an_import_is_a_parameter() {
        let mut uri = "http://h/v1.41/images/create?fromSrc=-&changes=A+1%0AB+2%0AC+3&tag=t"
            .parse()
            .unwrap();
        one_change_each(&mut uri);
        assert_eq!(
            uri.to_string(),
            "http://h/v1.41/images/create?fromSrc=-&changes=A+1&changes=B+2&changes=C+3&tag=t"
        );
        let mut other: hyper::Uri = "http://h/containers/create?name=a%0Ab".parse().unwrap();
        one_change_each(&mut other);
        assert_eq!(other.query(), Some("name=a%0Ab"));
    }
}
