//! The RPC trait: the one list of methods. Both sides are generated from it.

use jsonrpsee::proc_macros::rpc;
#[cfg(feature = "server")]
use jsonrpsee::{core::SubscriptionResult, types::ErrorObjectOwned};

use crate::{
    ImagePrune,
    audit::{Anchor, HistoryPage, HistoryQuery, RecordHead, RunRecord, Sealed, VerifyReport},
    image::ImageInfo,
    request::RunRequest,
    result::RunResult,
    status::{RunInfo, Status},
    watch::{HostPath, WatchRequest, WatchRoot},
};
#[cfg(feature = "client")]
use crate::{event::Event, image::ImageEvent, watch::WatchEvent};

#[cfg_attr(
    all(feature = "server", feature = "client"),
    rpc(server, client, namespace = "saferun", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "server", not(feature = "client")),
    rpc(server, namespace = "saferun", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "client", not(feature = "server")),
    rpc(client, namespace = "saferun", namespace_separator = ".")
)]
/// Methods of the daemon, as `saferun.NAME`.
pub trait Api {
    /// How the daemon, the engine, the images and the pools are. Always answers, within 100 ms.
    #[method(name = "status", with_extensions)]
    async fn status(&self) -> Result<Status, ErrorObjectOwned>;

    /// Runs a script to its end and returns the whole account, output included.
    /// The run ends when the connection does, unless the request says `detach`.
    #[method(name = "run", param_kind = map, with_extensions)]
    async fn run(&self, request: RunRequest) -> Result<RunResult, ErrorObjectOwned>;

    /// Runs a script and tells of it as it goes. The last item is `finished`.
    /// Dropping the subscription ends the run, unless the request says `detach`.
    #[subscription(name = "subscribeRun" => "run_event", unsubscribe = "unsubscribeRun", item = Event, param_kind = map, with_extensions)]
    async fn subscribe_run(&self, request: RunRequest) -> SubscriptionResult;

    /// Sends standard input to a streamed run, within the credit that its events gave.
    #[method(name = "stdin", param_kind = map, with_extensions)]
    async fn stdin(&self, id: String, base64: String, end: bool) -> Result<(), ErrorObjectOwned>;

    /// Ends a run of the same user. Returns at once; the run's result says `cancelled`.
    #[method(name = "kill", param_kind = map, with_extensions)]
    async fn kill(&self, id: String) -> Result<(), ErrorObjectOwned>;

    /// The runs of the same user that wait or are under way.
    #[method(name = "ps", with_extensions)]
    async fn ps(&self) -> Result<Vec<RunInfo>, ErrorObjectOwned>;

    /// The images, built or not.
    #[method(name = "imageList", with_extensions)]
    async fn image_list(&self) -> Result<Vec<ImageInfo>, ErrorObjectOwned>;

    /// Removes the images of SafeRun's own that are out of date and that no container uses; with `dry_run` only says
    /// which. `rerun` of a run in such an image then takes the current one. Served only to the daemon's own uid.
    #[method(name = "imagePrune", param_kind = map, with_extensions)]
    async fn image_prune(&self, dry_run: bool) -> Result<ImagePrune, ErrorObjectOwned>;

    /// Builds an image if its inputs changed, or always with `force`. The last item is `built` or `failed`.
    #[subscription(name = "subscribeImageBuild" => "image_event", unsubscribe = "unsubscribeImageBuild", item = ImageEvent, param_kind = map, with_extensions)]
    async fn subscribe_image_build(&self, variant: String, force: bool) -> SubscriptionResult;

    /// Builds an image of the user's own with these packages (`name` or `name==version`) on top of the
    /// standard library, resolved and pinned by hash on the host's side. Items as for a build.
    #[subscription(name = "subscribeImageAdd" => "image_add_event", unsubscribe = "unsubscribeImageAdd", item = ImageEvent, param_kind = map, with_extensions)]
    async fn subscribe_image_add(
        &self,
        variant: String,
        packages: Vec<String>,
    ) -> SubscriptionResult;

    /// Watches folders of the host and tells what the scanner finds in them, and what changes. A watch
    /// ends with its subscription. Served only to the daemon's own uid.
    #[subscription(name = "subscribeWatch" => "watch_event", unsubscribe = "unsubscribeWatch", item = WatchEvent, param_kind = map, with_extensions)]
    async fn subscribe_watch(&self, request: WatchRequest) -> SubscriptionResult;

    /// The folders that are watched.
    #[method(name = "watchList", with_extensions)]
    async fn watch_list(&self) -> Result<Vec<WatchRoot>, ErrorObjectOwned>;

    /// Says that a tool wrote these files: for an agent's hook. At most 1,000 at a time.
    #[method(name = "watchAnnounce", param_kind = map, with_extensions)]
    async fn watch_announce(
        &self,
        files: Vec<HostPath>,
        tool: String,
    ) -> Result<(), ErrorObjectOwned>;

    /// Gives a file that the watch put in quarantine the rights back that it had before. Refused if its content
    /// changed since, and to all but the daemon's own uid.
    #[method(name = "watchRelease", param_kind = map, with_extensions)]
    async fn watch_release(&self, file: HostPath) -> Result<(), ErrorObjectOwned>;

    /// Drains: refuses new runs, ends those under way, removes all containers, exits.
    #[method(name = "shutdown", with_extensions)]
    async fn shutdown(&self) -> Result<(), ErrorObjectOwned>;

    /// Recorded runs of the same user, newest first.
    #[method(name = "history", param_kind = map, with_extensions)]
    async fn history(&self, query: HistoryQuery) -> Result<HistoryPage, ErrorObjectOwned>;

    /// Everything recorded of one run of the same user.
    #[method(name = "record", param_kind = map, with_extensions)]
    async fn record(&self, id: String) -> Result<RunRecord, ErrorObjectOwned>;

    /// Checks the whole record; against the seal too, where its key is given, and against links that were kept
    /// elsewhere, at most [`MAX_ANCHORS`](crate::MAX_ANCHORS).
    #[method(name = "verifyHistory", param_kind = map, with_extensions)]
    async fn verify_history(
        &self,
        key: Option<String>,
        anchors: Option<Vec<Anchor>>,
    ) -> Result<VerifyReport, ErrorObjectOwned>;

    /// Where the record stands: its last event and that one's link, to be kept elsewhere.
    #[method(name = "historyHead", with_extensions)]
    async fn history_head(&self) -> Result<RecordHead, ErrorObjectOwned>;

    /// Begins a forward-secure seal over all that follows; a new one ends the one before.
    #[method(name = "sealHistory", with_extensions)]
    async fn seal_history(&self) -> Result<Sealed, ErrorObjectOwned>;

    /// Output of a run of the same user from its `from`th piece on: live while it is under way, else as recorded.
    /// The last item is `finished`. Dropping the subscription changes nothing for the run.
    #[subscription(name = "subscribeLogs" => "logs_event", unsubscribe = "unsubscribeLogs", item = Event, param_kind = map, with_extensions)]
    async fn subscribe_logs(&self, id: String, from: u64, follow: bool) -> SubscriptionResult;
}
