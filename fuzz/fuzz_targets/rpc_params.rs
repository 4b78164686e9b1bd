//! Any bytes as the parameters of each method: never a panic, and what was accepted is written and read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saferun_protocol::{HistoryQuery, HostPath, RunRequest, WatchRequest};
use serde::{Serialize, de::DeserializeOwned};

fn there_and_back<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return };
    let text = serde_json::to_string(&value).expect("what was read can be written");
    let again: T = serde_json::from_str(&text).expect("what was written can be read");
    assert_eq!(serde_json::to_string(&again).expect("and written"), text);
}

fuzz_target!(|bytes: &[u8]| {
    there_and_back::<RunRequest>(bytes);
    there_and_back::<HistoryQuery>(bytes);
    there_and_back::<WatchRequest>(bytes);
    there_and_back::<Vec<HostPath>>(bytes);
});
