//! Embeddings that a run of the pipeline kept.

use std::collections::HashSet;
use std::path::Path;

use vnp_seq::{Frame, find_orfs};

use super::stage::Stage;
use super::{Embedded, Encoders, Table};
use crate::Error;
use crate::prepare::Prepared;
use crate::records::Class;

/// Examples of prepared chunks and of the embeddings that runs over their files kept. Every row's id
/// is compared with the frame that it must be of, and with that of the other embedding.
///
/// # Errors
/// [`Error::NoEmbeddings`] where some are missing, [`Error::Embeddings`] where they are of something
/// else, those of reading checkpoints.
pub fn read_prepared(
    prepared: &Prepared,
    virus_run: &Path,
    others_run: &Path,
) -> Result<Embedded, Error> {
    let mut all = Table::default();
    let mut encoders: Option<Encoders> = None;
    let mut place = Vec::new();
    let mut left_out = 0;
    for (class, run) in [(Class::Virus, virus_run), (Class::Others, others_run)] {
        let (mut table, failed, made_with) = read_run(run, class == Class::Virus)?;
        if let (Some(made_with), Some(earlier)) = (&made_with, &encoders) {
            made_with.agree(earlier, run)?;
        }
        encoders = encoders.or(made_with);
        let expected = expected_rows(prepared, class);
        check_ids(run, &table.ids, &expected)?;
        let kept = |row: usize| {
            let wanted = expected.get(row).is_some_and(|row| row.is_wanted);
            wanted && failed.get(row) == Some(&false)
        };
        let unwanted = expected.iter().filter(|row| !row.is_wanted).count();
        left_out += unwanted;
        let rows = table.ids.len();
        place.extend((0..rows).filter(|row| kept(*row)).filter_map(|row| {
            let chunk = expected.get(row)?.chunk;
            Some((chunk, prepared.chunks.get(chunk)?.group))
        }));
        table.retain(kept);
        table.rows_failed = rows - unwanted - table.ids.len();
        all.append(table);
    }
    let rows_failed = all.rows_failed;
    let examples = all.into_examples(&place, &prepared.groups);
    Ok(Embedded { examples, encoders, rows_failed, rows_left_out: left_out })
}

/// A row that a run over prepared chunks must have.
struct Expected {
    id: String,
    chunk: usize,
    /// Whether it is one to learn from.
    is_wanted: bool,
}

fn expected_rows(prepared: &Prepared, class: Class) -> Vec<Expected> {
    let mut rows = Vec::new();
    for (number, chunk) in prepared.of_class(class) {
        for open in find_orfs(&chunk.sequence) {
            rows.push(Expected {
                id: frame_id(&chunk.id, open.frame),
                chunk: number,
                is_wanted: chunk.frames.contains(&open.frame),
            });
        }
    }
    rows
}

/// A chunk that is a record of its own is the record's first chunk.
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

/// The rows of a finished run, with the state of each.
pub(super) fn read_run(
    run: &Path,
    is_virus: bool,
) -> Result<(Table, Vec<bool>, Option<Encoders>), Error> {
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
    let table = Table {
        nucleotide_size: nucleotide.width,
        protein_size: protein.width,
        ids: first.ids,
        is_virus,
        features,
        rows_failed: failed.iter().filter(|failed| **failed).count(),
    };
    Ok((table, failed, encoders))
}

/// The rows that a finished run has.
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

/// Refuses an id that comes twice: nobody could say which row is meant.
pub(super) fn check_unique(ids: &[(String, String)]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let Some((id, second)) = ids.iter().find(|(id, _)| !seen.insert(id)) else { return Ok(()) };
    let first = ids.iter().find(|(other, _)| other == id);
    Err(Error::Twice {
        what: "row",
        id: id.clone(),
        first: format!("in {}", first.map(|(_, path)| path.as_str()).unwrap_or_default()),
        second: format!("in {second}"),
    })
}
