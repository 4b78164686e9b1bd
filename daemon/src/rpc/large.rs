//! Calls with many parameters: read where they hold up nobody else, and only some of them at once. All calls that are not
//! answered yet have so many bytes of parameters together. What a call does is not its business.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use jsonrpsee::{
    core::middleware::{Batch, Notification, RpcServiceT},
    server::MethodResponse,
    types::{ErrorObjectOwned, Request},
};
use saferun_protocol::Code;

use crate::heavy::{Turns, in_place, is_heavy};

/// Bytes of the parameters of all calls that are not answered yet: some forty of the largest.
const MOST: usize = 512 * 1024 * 1024;
/// What of it only small calls may take, so that the large ones never keep a question like `status` from its answer.
const FOR_SMALL: usize = 64 * 1024 * 1024;
/// What a call takes besides its parameters, roughly.
const CALL: usize = 4096;

/// Wraps the methods of every connection; all of them share the turns and the room.
#[derive(Debug, Clone, Default)]
pub(super) struct LargeLayer {
    turns: Turns,
    taken: Arc<AtomicUsize>,
}

impl<S> tower::Layer<S> for LargeLayer {
    type Service = Large<S>;

    fn layer(&self, methods: S) -> Large<S> {
        Large {
            methods,
            shared: self.clone(),
        }
    }
}

/// The methods, with large parameters read apart.
#[derive(Debug, Clone)]
pub(super) struct Large<S> {
    methods: S,
    shared: LargeLayer,
}

impl LargeLayer {
    /// Room for a call's parameters, until it is dropped.
    fn room(&self, bytes: usize) -> Result<Room, ErrorObjectOwned> {
        let bytes = bytes.saturating_add(CALL);
        let most = if is_heavy(bytes) {
            MOST - FOR_SMALL
        } else {
            MOST
        };
        let fits = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= most);
        let taken = (self.taken).fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if taken.is_err() {
            return Err(Code::Busy.error(
                "too much was asked at once: the requests that are not answered yet have no room for this one",
                "try again in a moment",
            ));
        }
        let taken = Arc::clone(&self.taken);
        Ok(Room { taken, bytes })
    }
}

#[derive(Debug)]
struct Room {
    taken: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl<S> RpcServiceT for Large<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Clone + Send + Sync + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = S::NotificationResponse;
    type BatchResponse = S::BatchResponse;

    fn call<'a>(
        &self,
        request: Request<'a>,
    ) -> impl Future<Output = Self::MethodResponse> + Send + 'a {
        let Self { methods, shared } = self.clone();
        let params = request.params.as_ref();
        let bytes = params.map_or(0, |params| params.get().len());
        async move {
            let _room = match shared.room(bytes) {
                Ok(room) => room,
                Err(error) => return MethodResponse::error(request.id, error),
            };
            if !is_heavy(bytes) {
                return methods.call(request).await;
            }
            // Parameters are read in the first step, up to where the method waits for something.
            let turn = match shared.turns.turn().await {
                Ok(turn) => turn,
                Err(error) => return MethodResponse::error(request.id, error),
            };
            let mut call = Box::pin(methods.call(request));
            let first =
                poll_fn(|context| Poll::Ready(in_place(bytes, || call.as_mut().poll(context))));
            let first = first.await;
            drop(turn);
            match first {
                Poll::Ready(answer) => answer,
                Poll::Pending => call.await,
            }
        }
    }

    fn batch<'a>(
        &self,
        requests: Batch<'a>,
    ) -> impl Future<Output = Self::BatchResponse> + Send + 'a {
        self.methods.batch(requests)
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = Self::NotificationResponse> + Send + 'a {
        self.methods.notification(notification)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_beyond_the_room_are_refused_and_small_ones_last() {
        let layer = LargeLayer::default();
        let large = 12 * 1024 * 1024;
        let mut held = Vec::new();
        let refused = loop {
            match layer.room(large) {
                Ok(room) => held.push(room),
                Err(error) => break error,
            }
        };
        assert_eq!(refused.code(), Code::Busy.number());
        assert_eq!(held.len(), (MOST - FOR_SMALL) / (large + CALL));
        let small: Vec<Room> = std::iter::repeat_with(|| layer.room(100))
            .map_while(Result::ok)
            .collect();
        assert!(small.len() >= FOR_SMALL / (100 + CALL), "{}", small.len());
        held.pop();
        drop(small);
        assert!(layer.room(large).is_ok());
        drop(held);
        assert_eq!(layer.taken.load(Ordering::Relaxed), 0);
    }
}
