//! How far the chunk length of a bundle's head is known.

use serde::{Deserialize, Serialize};

/// Where the chunk length of a bundle comes from. A bundle without this field was trained here, or
/// imported by a version that did not record it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LengthSource {
    /// The head is one of [`PUBLISHED_HEADS`](crate::PUBLISHED_HEADS).
    PublishedHead,
    /// The user said so, and nothing else knows: the head is none of the published ones.
    Stated,
    /// A later version's.
    #[serde(other)]
    Other,
}
