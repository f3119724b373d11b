//! The records of a FASTA text: a header, and lines up to the next one.

use super::fault::Fault;
use super::raw::Raw;
use crate::text::Text;

/// Reads the next record into `raw`; `false` at the end.
pub(super) fn next(text: &mut Text, raw: &mut Raw) -> Result<bool, Fault> {
    if text.peek()?.is_none() {
        return Ok(false);
    }
    raw.start(text)?;
    while !matches!(text.peek()?, None | Some(b'>')) {
        raw.add_line(text)?;
    }
    Ok(true)
}
