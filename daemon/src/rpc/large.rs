//! Calls with many parameters: read where they hold up nobody else, and only some of them at once. What a call does
//! after that is not its business.

use std::{future::poll_fn, task::Poll};

use jsonrpsee::{
    core::middleware::{Batch, Notification, RpcServiceT},
    types::Request,
};

use crate::heavy::{Turns, in_place, is_heavy};

/// Wraps the methods of every connection; all of them share the turns.
#[derive(Debug, Clone, Default)]
pub(super) struct LargeLayer(Turns);

impl<S> tower::Layer<S> for LargeLayer {
    type Service = Large<S>;

    fn layer(&self, methods: S) -> Large<S> {
        Large {
            methods,
            turns: self.0.clone(),
        }
    }
}

/// The methods, with large parameters read apart.
#[derive(Debug, Clone)]
pub(super) struct Large<S> {
    methods: S,
    turns: Turns,
}

impl<S> RpcServiceT for Large<S>
where
    S: RpcServiceT<MethodResponse: Send> + Clone + Send + Sync + 'static,
{
    type MethodResponse = S::MethodResponse;
    type NotificationResponse = S::NotificationResponse;
    type BatchResponse = S::BatchResponse;

    fn call<'a>(
        &self,
        request: Request<'a>,
    ) -> impl Future<Output = Self::MethodResponse> + Send + 'a {
        let Self { methods, turns } = self.clone();
        let bytes = request
            .params
            .as_ref()
            .map_or(0, |params| params.get().len());
        async move {
            if !is_heavy(bytes) {
                return methods.call(request).await;
            }
            let mut call = Box::pin(methods.call(request));
            // Parameters are read in the first step, up to where the method waits for something. Whoever does not get
            // a turn in time goes on without one: the answer is the method's to give.
            let turn = turns.turn().await.ok();
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
