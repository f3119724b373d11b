//! Embeddings that a run of the pipeline kept.

use std::collections::HashMap;
use std::path::Path;

use vnp_seq::{Frame, find_orfs};

use crate::data::class::Class;
use crate::data::embedded::rows::RowTable;
use crate::data::embedded::source::{Embedded, Encoders};
use crate::data::embedded::stage::Stage;
use crate::data::prepared::Prepared;
use crate::error::Error;

impl Embedded {
    /// Makes examples of prepared chunks and the embeddings that runs over their files kept. The id of every
    /// row is compared with the ORF that it must belong to, and with that of the other embedding.
    ///
    /// # Errors
    /// [`Error::NoEmbeddings`] where some are missing, [`Error::Embeddings`] where they belong to something
    /// else, those of reading checkpoints.
    pub fn of_prepared(
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
                made_with.agree(earlier, run)?;
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
            all.append(table);
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
                id: frame_id(&chunk.id, open.frame),
                chunk: number,
                group: chunk.group,
                is_wanted: chunk.frames.contains(&open.frame),
            });
        }
    }
    rows
}

/// The id of a frame; a chunk that is a record of its own is the first chunk of that record.
pub(super) fn frame_id(chunk: &str, frame: Frame) -> String {
    format!("{chunk}_chunk_1{frame}")
}

fn check_ids(run: &Path, ids: &[String], expected: &[Expected]) -> Result<(), Error> {
    let wrong = |what: String, expected: &str, found: &str| Error::Embeddings {
        path: run.to_owned(),
        what,
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    if ids.len() != expected.len() {
        let (expected, found) = (expected.len().to_string(), ids.len().to_string());
        return Err(wrong("the number of rows".to_owned(), &expected, &found));
    }
    match ids.iter().zip(expected).enumerate().find(|(_, (id, row))| **id != row.id) {
        Some((number, (id, row))) => Err(wrong(format!("row {number}"), &row.id, id)),
        None => Ok(()),
    }
}

/// Reads the rows of a finished run, with the status of each.
pub(super) fn read_run(
    run: &Path,
    is_virus: bool,
) -> Result<(RowTable, Vec<bool>, Option<Encoders>), Error> {
    let rows_of_run = finished_rows(run)?;
    let nucleotide = Stage::open(run, "nucleotide")?;
    let protein = Stage::open(run, "protein")?;
    for (what, stage) in [("nucleotide", &nucleotide), ("protein", &protein)] {
        if stage.rows as u64 != rows_of_run {
            let found = stage.rows;
            let reason = format!("it keeps {found} of {rows_of_run} {what} embeddings");
            return Err(Error::NoEmbeddings { path: run.to_owned(), reason });
        }
    }
    let stride = nucleotide.width + protein.width;
    let mut features = vec![0.0; nucleotide.rows * stride];
    let first = nucleotide.read(&mut features, stride, 0)?;
    let second = protein.read(&mut features, stride, nucleotide.width)?;
    let differs = first.ids.iter().zip(&second.ids).enumerate().find(|(_, (a, b))| a != b);
    if let Some((row, (expected, found))) = differs {
        return Err(Error::Embeddings {
            path: run.to_owned(),
            what: format!("row {row} of the protein embeddings"),
            expected: expected.clone(),
            found: found.clone(),
        });
    }
    let failed: Vec<bool> = first.failed.iter().zip(&second.failed).map(|(a, b)| a | b).collect();
    let is_virus = vec![is_virus; first.ids.len()];
    let encoders = (nucleotide.rows > 0).then(|| encoders(&nucleotide, &protein));
    let table = RowTable {
        nucleotide_size: nucleotide.width,
        protein_size: protein.width,
        ids: first.ids,
        is_virus,
        features,
        rows_failed: failed.iter().filter(|failed| **failed).count(),
    };
    Ok((table, failed, encoders))
}

/// The number of rows of a finished run.
fn finished_rows(run: &Path) -> Result<u64, Error> {
    let missing =
        |reason: &str| Error::NoEmbeddings { path: run.to_owned(), reason: reason.to_owned() };
    let path = run.join("run.json");
    if !path.is_file() {
        return Err(missing("it holds no finished run (no run.json)"));
    }
    let manifest: serde_json::Value = serde_json::from_slice(&fs_err::read(&path)?)
        .map_err(|_| missing("its run.json is damaged"))?;
    let rows = manifest.pointer("/counts/rows").and_then(serde_json::Value::as_u64);
    rows.ok_or_else(|| missing("its run.json does not tell the number of rows"))
}

fn encoders(nucleotide: &Stage, protein: &Stage) -> Encoders {
    let field = |stage: &Stage, name: &str| stage.identity.get(name).cloned().unwrap_or_default();
    Encoders {
        dnabert: field(nucleotide, "dnabert"),
        esm2: field(protein, "esm2"),
        precision: field(nucleotide, "precision"),
        chunk_length: field(nucleotide, "chunk_length").parse().unwrap_or_default(),
    }
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
