//! Parts of the messages: directories and shapes in words.

use std::path::PathBuf;

use vnp_escape::{escaped_path, listed};

/// The end of a message that names the directories of which one was probably meant.
pub(super) fn meant(nearby: &[PathBuf], what: &str) -> String {
    let give = match nearby {
        [] => return String::new(),
        [_] => "give that",
        _ => "give the right one",
    };
    format!(": {what} {}, {give}", directories(nearby))
}

/// A shape, where it is known.
pub(super) fn of_shape(shape: &[usize]) -> String {
    let is_known = !shape.is_empty() && shape.iter().all(|size| *size > 0);
    if is_known { format!(" of shape {shape:?}") } else { String::new() }
}

/// The directories, or that there are none.
pub(super) fn directories(searched: &[PathBuf]) -> String {
    if searched.is_empty() {
        return "any search directory (none was given)".to_owned();
    }
    listed(searched.iter().map(escaped_path), 16, ", ")
}
