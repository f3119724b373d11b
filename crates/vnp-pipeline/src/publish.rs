//! The result files, written from the parts and a last reading of the input.

mod accounting;
mod announcement;
mod nucleotide_only;
mod order;
mod published;
mod scores;
mod stored_rows;
mod writers;

use std::collections::BTreeMap;

use serde_json::Value;
use vnp_ckpt::RowRange;
use vnp_job::parts::{Counts, Inventory, Stage, Track};
use vnp_job::{JobDirectory, StopFlag};

use crate::error::Error;
use crate::reading::confirm;
use crate::source::Source;
use crate::survey::Survey;
use published::with_survey;
use stored_rows::StoredRows;
use writers::Writers;

pub(crate) use accounting::Accounting;
pub(crate) use announcement::{announced, withdraw};
pub(crate) use published::{Published, Tables, Totals};

/// Writes every result file from the scores and a last reading of the input.
///
/// Nothing gets its final name before the parts are proved to cover every row with the ids of the
/// input's rows, and the input to be what it was. A stop is answered before that.
pub(crate) fn publish(
    directory: &JobDirectory,
    inventory: &Inventory,
    source: Source<'_>,
    survey: &Survey,
    tables: Tables<'_>,
    stop: &StopFlag,
) -> Result<Published, Error> {
    for &track in tables.tracks {
        check_covered(inventory, Stage::scoring(track), survey)?;
    }
    let mut reader = source.open(tables.tracks)?;
    let publishing = tables.publishing;
    let mut writers = Writers::create(directory, inventory, tables, survey.chunks)?;
    while let Some(block) = reader.next_block()? {
        writers.block(block)?;
        stop.check()?;
    }
    confirm(&mut reader, survey)?;
    writers.finish(directory, survey, publishing)
}

/// What a run publishes whose goal are embeddings: no table, and the counts that are known without
/// scores, once every row of both stages is proved to be that of the input, read again.
pub(crate) fn confirm_embeddings(
    inventory: &Inventory,
    source: Source<'_>,
    survey: &Survey,
    stop: &StopFlag,
) -> Result<Published, Error> {
    for stage in Stage::EMBEDDINGS {
        check_covered(inventory, stage, survey)?;
    }
    let mut stages = Stage::EMBEDDINGS.map(|stage| StoredRows::new(inventory.parts(stage)));
    let mut counts = Counts::default();
    let mut reader = source.open(&[Track::Frames])?;
    while let Some(block) = reader.next_block()? {
        for frame in &block.rows {
            let mut failed = false;
            for stage in &mut stages {
                failed |= stage.next(frame)?.is_err();
            }
            counts.rows += 1;
            counts.rows_failed += u64::from(failed);
        }
        stop.check()?;
    }
    confirm(&mut reader, survey)?;
    let counts = with_survey(counts, survey);
    let maybe_truncated = survey.maybe_truncated;
    let (results, publishing) = (BTreeMap::new(), Value::Null);
    Ok(Published { counts, maybe_truncated, results, publishing, totals: None })
}

/// Checks that the parts of a stage cover every row of its track.
fn check_covered(inventory: &Inventory, stage: Stage, survey: &Survey) -> Result<(), Error> {
    let everything = RowRange { start: 0, end: survey.rows_of(stage.track()) };
    let missing = inventory.missing(stage, everything);
    if missing.is_empty() { Ok(()) } else { Err(Error::Incomplete { stage, missing }) }
}
