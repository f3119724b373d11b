//! Chooses chunks to learn from and writes them to a directory.

mod files;

use std::collections::HashMap;
use std::path::Path;

use crate::data::corpus::Corpus;
use crate::data::examples::Group;
use crate::data::preparation::Preparation;
use crate::data::prepared::{PreparationRecord, Prepared, PreparedChunk};
use crate::error::Error;

/// Reads the records, groups and splits them, chooses chunks and writes them to `directory`, as a whole
/// or not at all. The result depends on data, settings and seed alone. An existing preparation of the
/// same identity is reused, unless it is to be replaced: `replace` then clears the way, once the new
/// chunks are chosen.
///
/// # Errors
/// Those of reading and of [`Groups::split`](crate::Groups::split); [`Error::EmptySplit`];
/// [`vnp_job::Error::OtherIdentity`] where `directory` holds chunks of other data or settings.
pub(crate) fn prepare(
    options: &Preparation,
    directory: &Path,
    replace: Option<&dyn Fn() -> Result<(), Error>>,
) -> Result<Prepared, Error> {
    let (records, identity) = options.read()?;
    if replace.is_none()
        && let Some(prepared) = files::reuse(directory, &identity)?
    {
        return Ok(prepared);
    }
    let corpus = Corpus::new(options, records, identity)?;
    let mut prepared = assemble(directory, &corpus);
    replace.map_or(Ok(()), |clear| clear())?;
    files::write(&mut prepared)?;
    Ok(prepared)
}

/// Names the chunks, and drops groups without chunks.
#[expect(clippy::indexing_slicing, reason = "chunks of a corpus refer to its records and groups")]
fn assemble(directory: &Path, corpus: &Corpus) -> Prepared {
    let Corpus { records, groups, splits, chunks: chosen, .. } = corpus;
    let named: Vec<Group> = groups.with_splits(splits);
    let mut numbers = HashMap::new();
    let mut kept = Vec::new();
    let mut chunks = Vec::new();
    for chunk in chosen {
        let source = &records[chunk.record];
        let group = *numbers.entry(chunk.group).or_insert_with(|| {
            kept.push(named[chunk.group].clone());
            kept.len() - 1
        });
        let letters = &source.sequence[chunk.start_bp..chunk.end_bp];
        chunks.push(PreparedChunk {
            id: format!("{}:{}-{}", source.id, chunk.start_bp + 1, chunk.end_bp),
            record: source.id.clone(),
            is_virus: chunk.is_virus,
            group,
            start_bp: chunk.start_bp,
            sequence: letters.to_vec(),
            frames: chunk.frames.iter().map(|open| open.frame).collect(),
        });
    }
    let record = PreparationRecord::of(corpus);
    Prepared { directory: directory.to_owned(), groups: kept, chunks, record }
}

#[cfg(test)]
mod tests;
