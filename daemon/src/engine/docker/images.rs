//! Images: which of ours are there, and bringing one in from a tar file.

use std::{collections::HashMap, path::Path};

use bollard::{
    Docker, body_try_stream,
    query_parameters::{
        CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder,
    },
};
use futures_util::TryStreamExt;
use tokio_util::io::ReaderStream;

use super::deadlines::{ASK, IMPORT, within};
use crate::engine::{EngineError, EngineImage};

/// Label that each image of ours carries: the variant, as `python`.
pub(super) const LABEL_VARIANT: &str = "org.saferun.variant";

/// Bytes that are read from the file at once.
const CHUNK: usize = 256 * 1024;

/// Images with our label, newest first.
pub(super) async fn list(docker: &Docker, address: &str) -> Result<Vec<EngineImage>, EngineError> {
    let filters = HashMap::from([("label".to_owned(), vec![LABEL_VARIANT.to_owned()])]);
    let options = ListImagesOptionsBuilder::default()
        .filters(&filters)
        .build();
    let mut found = within(
        "list images",
        ASK,
        address,
        docker.list_images(Some(options)),
    )
    .await?;
    found.sort_by_key(|image| std::cmp::Reverse(image.created));
    Ok(found
        .into_iter()
        .map(|image| {
            let mut labels: Vec<_> = image.labels.into_iter().collect();
            labels.sort_unstable();
            EngineImage {
                id: image.id,
                size: u64::try_from(image.size).unwrap_or(0),
                labels,
                created: jiff::Timestamp::from_second(image.created)
                    .ok()
                    .map(|at| at.to_string()),
            }
        })
        .collect())
}

/// Sends the tar file to the engine and returns the id of the image that it made.
pub(super) async fn import(
    docker: &Docker,
    address: &str,
    tar: &Path,
    changes: &[String],
    tag: &str,
) -> Result<String, EngineError> {
    const ACTION: &str = "import an image";
    let file = tokio::fs::File::open(tar)
        .await
        .map_err(|error| EngineError::Refused {
            action: ACTION,
            reason: format!("{} cannot be read: {error}", tar.display()),
        })?;
    // `host:5000/name` has a colon that starts no tag.
    let (repo, tag) = match tag.rsplit_once(':') {
        Some((repo, tag)) if !tag.contains('/') => (repo, tag),
        _ => (tag, "latest"),
    };
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        .repo(repo)
        .tag(tag)
        .changes(changes.to_vec())
        .build();
    let body = body_try_stream(ReaderStream::with_capacity(file, CHUNK));
    let call = async {
        docker
            .create_image(Some(options), Some(body), None)
            .try_fold(None, async |last, info| Ok(info.status.or(last)))
            .await
    };
    let status = within(ACTION, IMPORT, address, call).await?;
    status
        .filter(|id| is_id(id))
        .ok_or_else(|| EngineError::Refused {
            action: ACTION,
            reason: "it did not say which image it made".to_owned(),
        })
}

/// Removes an image by its id, never by force: the engine refuses where something still uses it.
pub(super) async fn remove(docker: &Docker, address: &str, id: &str) -> Result<(), EngineError> {
    const ACTION: &str = "remove an image";
    if !is_id(id) {
        return Err(EngineError::Refused {
            action: ACTION,
            reason: "what it lists has no id".to_owned(),
        });
    }
    let options = RemoveImageOptionsBuilder::default().force(false).build();
    within(
        ACTION,
        ASK,
        address,
        docker.remove_image(id, Some(options), None),
    )
    .await?;
    Ok(())
}

/// `sha256:` and 64 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|digest| digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit()))
}
