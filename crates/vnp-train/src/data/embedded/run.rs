//! Embeddings that a run of the pipeline kept.

use std::collections::HashMap;
use std::path::Path;

use vnp_job::parts::{Encoders, StoredEmbeddings};
use vnp_seq::{Frame, chunk_id, find_orfs, frame_id};

use crate::data::class::Class;
use crate::data::embedded::rows::RowTable;
use crate::data::embedded::source::{Embedded, check_same, mismatch};
use crate::data::prepared::Prepared;
use crate::error::Error;

impl Embedded {
    /// Makes examples of prepared chunks and the embeddings that runs over their files kept. The id of every
    /// row is compared with the ORF that it must belong to, and with that of the other embedding.
    ///
    /// # Errors
    /// Those of [`StoredEmbeddings::read`]; [`vnp_job::Error::Mismatch`] where they belong to something else.
    pub(crate) fn of_prepared(
        prepared: &Prepared,
        virus_run: &Path,
        others_run: &Path,
    ) -> Result<Self, Error> {
        let mut all = RowTable::default();
        let mut encoders: Option<Encoders> = None;
        let mut place = Vec::new();
        let (mut left_out, mut rows_failed) = (0, 0);
        for (class, run) in [(Class::Virus, virus_run), (Class::Others, others_run)] {
            let (table, failed, made_with) = read_run(run, class == Class::Virus)?;
            if let (Some(made_with), Some(earlier)) = (&made_with, &encoders) {
                check_same(made_with, earlier, run)?;
            }
            encoders = encoders.or(made_with);
            let expected = expected_rows(prepared, class);
            check_ids(run, &table.ids, &expected)?;
            for (row, failed) in expected.iter().zip(failed) {
                let is_kept = row.is_wanted && !failed;
                place.push(is_kept.then_some((row.chunk, row.group)));
                left_out += usize::from(!row.is_wanted);
                rows_failed += usize::from(row.is_wanted && failed);
            }
            all.append(table, run)?;
        }
        let examples = all.into_examples(&place, &prepared.groups);
        Ok(Self { examples, encoders, rows_failed, rows_left_out: left_out })
    }
}

/// A row that a run over prepared chunks must have.
struct Expected {
    id: String,
    chunk: usize,
    group: usize,
    /// Whether to learn from it.
    is_wanted: bool,
}

fn expected_rows(prepared: &Prepared, class: Class) -> Vec<Expected> {
    let mut rows = Vec::new();
    for (number, chunk) in prepared.of_class(class) {
        for open in find_orfs(&chunk.sequence) {
            rows.push(Expected {
                id: row_id(&chunk.id, open.frame),
                chunk: number,
                group: chunk.group,
                is_wanted: chunk.frames.contains(&open.frame),
            });
        }
    }
    rows
}

/// The id of a frame of a prepared chunk, which as a record of its own is cut into one chunk.
pub(super) fn row_id(chunk: &str, frame: Frame) -> String {
    frame_id(&chunk_id(chunk, 0), frame)
}

fn check_ids(run: &Path, ids: &[String], expected: &[Expected]) -> Result<(), Error> {
    if ids.len() != expected.len() {
        let (expected, found) = (expected.len().to_string(), ids.len().to_string());
        return Err(mismatch(run, "the number of rows", expected, found).into());
    }
    match ids.iter().zip(expected).enumerate().find(|(_, (id, row))| **id != row.id) {
        Some((number, (id, row))) => {
            Err(mismatch(run, format!("row {number}"), &row.id, id).into())
        }
        None => Ok(()),
    }
}

/// Reads the rows of a finished run, with the status of each.
pub(super) fn read_run(
    run: &Path,
    is_virus: bool,
) -> Result<(RowTable, Vec<bool>, Option<Encoders>), Error> {
    let StoredEmbeddings { ids, failed, features, nucleotide_size, protein_size, encoders } =
        StoredEmbeddings::read(run)?;
    let table = RowTable {
        nucleotide_size,
        protein_size,
        is_virus: vec![is_virus; ids.len()],
        ids,
        features,
        rows_failed: failed.iter().filter(|failed| **failed).count(),
    };
    Ok((table, failed, encoders))
}

/// Refuses duplicate ids, which would be ambiguous; `ids` come with the place of each.
pub(super) fn check_unique(ids: &[(String, String)]) -> Result<(), Error> {
    let mut places: HashMap<&str, &str> = HashMap::new();
    for (id, place) in ids {
        if let Some(first) = places.insert(id, place) {
            let (first, second) = (format!("in {first}"), format!("in {place}"));
            return Err(Error::Twice { what: "row", id: id.clone(), first, second });
        }
    }
    Ok(())
}
