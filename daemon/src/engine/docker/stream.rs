//! The attached connection of one container: frames in, frames out, and a way to cut it at any time.
//!
//! There is no task and no queue in between: whoever reads polls the engine's connection itself, so
//! back-pressure reaches the supervisor. Engine 20.10 hangs on kill, inspect and remove of a
//! container whose attached stream nobody reads, hence [`Attached::cut`] before each of these.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bollard::{
    container::{AttachContainerResults, LogOutput},
    errors::Error,
};
use bytes::{Buf, Bytes};
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::errors::harmless;
use crate::engine::{FrameSink, FrameSource};

/// How much of the supervisor's own standard error is kept. It writes there only when it cannot
/// speak frames; the first words say why.
const MAX_DIAGNOSTIC: usize = 4096;

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;
type Input = Pin<Box<dyn AsyncWrite + Send>>;

#[derive(Default)]
struct Reading {
    output: Option<Output>,
    pending: Bytes,
    diagnostic: Vec<u8>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Writing {
    input: Option<Input>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Shared {
    reading: Mutex<Reading>,
    writing: Mutex<Writing>,
}

/// The owner's handle of an attached connection. Clones are the same connection.
#[derive(Clone)]
pub(super) struct Attached(Arc<Shared>);

impl Attached {
    /// Takes over a connection that the engine has just switched to raw streams.
    pub(super) fn new(results: AttachContainerResults) -> Self {
        let shared = Shared::default();
        shared.reading().output = Some(results.output);
        shared.writing().input = Some(results.input);
        Self(Arc::new(shared))
    }

    /// The two halves for whoever speaks with the supervisor.
    pub(super) fn halves(&self) -> (FrameSink, FrameSource) {
        (
            Box::new(Sink(Arc::clone(&self.0))),
            Box::new(Source(Arc::clone(&self.0))),
        )
    }

    /// Closes the connection now, whoever holds the halves: they see its end. May be called again.
    pub(super) fn cut(&self) {
        self.0.cut();
    }

    /// What the supervisor wrote to its own standard error so far.
    pub(super) fn diagnostic(&self) -> String {
        harmless(&String::from_utf8_lossy(&self.0.reading().diagnostic))
    }
}

impl Shared {
    // A poisoned lock only means that a poll panicked; the connection is still there to be closed.
    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) {
        // Both halves must go: the connection closes with the last of them.
        let (output, reader) = {
            let mut reading = self.reading();
            reading.pending = Bytes::new();
            (reading.output.take(), reading.waker.take())
        };
        let (input, writer) = {
            let mut writing = self.writing();
            (writing.input.take(), writing.waker.take())
        };
        drop((output, input));
        reader.into_iter().chain(writer).for_each(Waker::wake);
    }
}

/// Read half: the supervisor's standard output, nothing else. Dropping it closes the connection,
/// since a stream that nobody reads would block the engine.
struct Source(Arc<Shared>);

impl AsyncRead for Source {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut reading = self.0.reading();
        loop {
            if !reading.pending.is_empty() {
                let count = reading.pending.len().min(buffer.remaining());
                buffer.put_slice(&reading.pending[..count]);
                reading.pending.advance(count);
                return Poll::Ready(Ok(()));
            }
            let Some(output) = reading.output.as_mut() else {
                return Poll::Ready(Ok(()));
            };
            match output.as_mut().poll_next(context) {
                Poll::Pending => {
                    reading.waker = Some(context.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(io::Error::other(harmless(&error.to_string()))));
                }
                Poll::Ready(Some(Ok(LogOutput::StdOut { message }))) => reading.pending = message,
                Poll::Ready(Some(Ok(LogOutput::StdErr { message }))) => {
                    let room = MAX_DIAGNOSTIC.saturating_sub(reading.diagnostic.len());
                    reading
                        .diagnostic
                        .extend_from_slice(&message[..message.len().min(room)]);
                }
                Poll::Ready(Some(Ok(LogOutput::StdIn { .. } | LogOutput::Console { .. }))) => {
                    let reason = "the engine's stream broke its own framing";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, reason)));
                }
            }
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// Write half: the supervisor's standard input.
struct Sink(Arc<Shared>);

impl Sink {
    fn poll<T>(
        &self,
        context: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut Input>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let mut writing = self.0.writing();
        let Some(input) = writing.input.as_mut() else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let result = act(Pin::new(input), context);
        if result.is_pending() {
            writing.waker = Some(context.waker().clone());
        }
        result
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(context, |input, context| input.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(context, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(context, AsyncWrite::poll_shutdown)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn attached(items: Vec<LogOutput>, endless: bool) -> Attached {
        let items = stream::iter(items.into_iter().map(Ok));
        let output: Output = if endless {
            Box::pin(futures_util::StreamExt::chain(items, stream::pending()))
        } else {
            Box::pin(items)
        };
        Attached::new(AttachContainerResults {
            output,
            input: Box::pin(tokio::io::sink()),
        })
    }

    fn out(bytes: &'static [u8]) -> LogOutput {
        LogOutput::StdOut {
            message: Bytes::from_static(bytes),
        }
    }

    fn err(bytes: &'static [u8]) -> LogOutput {
        LogOutput::StdErr {
            message: Bytes::from_static(bytes),
        }
    }

    #[tokio::test]
    async fn only_standard_output_is_read_and_standard_error_becomes_the_diagnostic() {
        let attached = attached(
            vec![out(b"ab"), err(b"no\x1b memory"), out(b""), out(b"cd")],
            false,
        );
        let (_sink, mut source) = attached.halves();
        let mut all = Vec::new();
        source.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"abcd");
        assert_eq!(attached.diagnostic(), "no memory");
    }

    #[tokio::test]
    async fn the_diagnostic_is_bounded() {
        let attached = attached(vec![err(&[b'x'; 3000]), err(&[b'y'; 3000])], false);
        let (_sink, mut source) = attached.halves();
        source.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(attached.0.reading().diagnostic.len(), MAX_DIAGNOSTIC);
    }

    #[tokio::test]
    async fn a_cut_ends_a_read_that_waits_and_every_later_write() {
        let attached = attached(vec![], true);
        let (mut sink, mut source) = attached.halves();
        sink.write_all(b"x").await.unwrap();
        let reader = tokio::spawn(async move { source.read(&mut [0; 8]).await });
        tokio::task::yield_now().await;
        attached.cut();
        assert_eq!(reader.await.unwrap().unwrap(), 0);
        assert_eq!(
            sink.write_all(b"x").await.unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }

    #[tokio::test]
    async fn dropping_the_read_half_closes_the_connection() {
        let attached = attached(vec![], true);
        let (mut sink, source) = attached.halves();
        drop(source);
        assert!(sink.write_all(b"x").await.is_err());
    }

    #[tokio::test]
    async fn bytes_outside_the_engines_framing_are_an_error() {
        let attached = attached(
            vec![LogOutput::Console {
                message: Bytes::from_static(b"x"),
            }],
            true,
        );
        let (_sink, mut source) = attached.halves();
        let error = source.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
