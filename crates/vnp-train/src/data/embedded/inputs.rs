//! Embeddings that a user provides: run directories, and training files of VirNucPro.

#![expect(clippy::indexing_slicing, reason = "records and groups are numbered in this file")]

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use vnp_escape::escaped_path;
use vnp_job::parts::Encoders;
use vnp_seq::{chunk_of_frame, record_of_chunk};

use crate::data::chunks;
use crate::data::class::Class;
use crate::data::embedded::merged::read_merged;
use crate::data::embedded::rows::RowTable;
use crate::data::embedded::run::{check_unique, read_run};
use crate::data::embedded::source::{Embedded, check_same, mismatch};
use crate::data::groups::{Groups, Member};
use crate::data::input::Input;
use crate::data::records::table::Table as GroupTable;
use crate::data::shares::Shares;
use crate::error::Error;
use crate::split::Split;

/// Existing embeddings, and how to read them.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The directories of runs that kept their embeddings, and training files of VirNucPro.
    pub inputs: Vec<Input>,
    /// The chunk length that they are taken for where they do not state one, in bp.
    pub chunk_length: u32,
    /// A table `id group [kind]` of records; without it each record is a group of its own.
    pub groups: Option<PathBuf>,
    /// The shares of the splits.
    pub shares: Shares,
    /// Host chunks for each viral chunk in every split, as far as they suffice.
    pub hosts_per_virus: f64,
    /// The seed of the split and of the choice of host chunks.
    pub seed: u64,
}

impl Embedded {
    /// Makes examples of existing embeddings. `sizes` are the numbers of values of a nucleotide and of a
    /// protein embedding, which a merged file does not state.
    ///
    /// # Errors
    /// [`vnp_job::Error::MissingParts`] and [`vnp_job::Error::Mismatch`] for unusable embeddings,
    /// [`Error::Twice`] for a duplicate row, those of [`Groups::split`] and of reading checkpoints.
    pub(crate) fn read(reading: &Reading, sizes: (usize, usize)) -> Result<Self, Error> {
        let mut all = RowTable::default();
        let mut encoders: Option<Encoders> = None;
        let mut places = Vec::new();
        for input in &reading.inputs {
            let (table, made_with) = read_input(input, sizes)?;
            if let (Some(made_with), Some(earlier)) = (&made_with, &encoders) {
                check_same(made_with, earlier, &input.path)?;
            }
            encoders = encoders.or(made_with);
            let place = escaped_path(&input.path).to_string();
            places.extend(table.ids.iter().map(|id| (id.clone(), place.clone())));
            all.append(table, &input.path)?;
        }
        check_unique(&places)?;
        drop(places);
        let rows = Rows::new(&all, reading.groups.as_deref())?;
        let splits = rows.groups.split(&reading.shares, reading.seed)?;
        let chunks: Vec<(Split, bool, usize)> = rows
            .chunks
            .iter()
            .map(|(group, is_virus)| (splits[*group], *is_virus, *group))
            .collect();
        let draw = |split| chunks::draw(&chunks, split, reading.hosts_per_virus, reading.seed);
        let chosen: HashSet<usize> = reading.shares.splits().flat_map(draw).collect();
        let is_chosen = |place: &(usize, usize)| chosen.contains(&place.0).then_some(*place);
        let place: Vec<_> = rows.place.iter().map(is_chosen).collect();
        let (rows_failed, rows_read) = (all.rows_failed, place.len());
        let examples = all.into_examples(&place, &rows.groups.with_splits(&splits));
        let rows_left_out = rows_read - examples.rows.len();
        Ok(Self { examples, encoders, rows_failed, rows_left_out })
    }
}

fn read_input(input: &Input, sizes: (usize, usize)) -> Result<(RowTable, Option<Encoders>), Error> {
    let Input { path, is_virus } = input;
    let (table, encoders) = if path.is_dir() {
        let Some(is_virus) = *is_virus else {
            let expected = "given by --virus or --others";
            return Err(mismatch(path, "the label of a run", expected, "absent").into());
        };
        let (mut table, failed, encoders) = read_run(path, is_virus)?;
        table.retain(|row| failed.get(row) == Some(&false));
        (table, encoders)
    } else {
        (read_merged(path, *is_virus, sizes)?, None)
    };
    let found = (table.nucleotide_size, table.protein_size);
    if found != sizes && !table.ids.is_empty() {
        let expected = format!("{} and {} of the bundle's encoders", sizes.0, sizes.1);
        let found = format!("{} and {}", found.0, found.1);
        return Err(mismatch(path, "the sizes of the embeddings", expected, found).into());
    }
    Ok((table, encoders))
}

/// A record that rows belong to.
struct Record<'a> {
    id: &'a str,
    is_virus: bool,
    rows: usize,
}

/// The chunks of rows, and the groups of their records.
struct Rows {
    /// The chunk and the group of every row.
    place: Vec<(usize, usize)>,
    /// The group and the label of every chunk.
    chunks: Vec<(usize, bool)>,
    groups: Groups,
}

impl Rows {
    fn new(table: &RowTable, groups: Option<&Path>) -> Result<Self, Error> {
        let groups = groups.map(GroupTable::groups).transpose()?;
        if groups.is_none() {
            log::warn!(
                "no --groups: each record is taken for a group of its own, and relatives on both sides \
                 of the split make the metrics look better than they are"
            );
        }
        let mut indices: HashMap<&str, usize> = HashMap::new();
        let mut records: Vec<Record<'_>> = Vec::new();
        let mut of_row = Vec::new();
        for (id, is_virus) in table.ids.iter().zip(&table.is_virus) {
            let id = record_of(id);
            let index = *indices.entry(id).or_insert_with(|| {
                records.push(Record { id, is_virus: *is_virus, rows: 0 });
                records.len() - 1
            });
            let record = &mut records[index];
            if record.is_virus != *is_virus {
                return Err(Error::Twice {
                    what: "record",
                    id: id.to_owned(),
                    first: format!("in a row as {}", Class::of(record.is_virus)),
                    second: format!("in a row as {}", Class::of(*is_virus)),
                });
            }
            record.rows += 1;
            of_row.push(index);
        }
        if let Some(groups) = &groups {
            groups.warn_of_unused(|id| indices.contains_key(id));
        }
        let entry = |record: &Record<'_>| groups.as_ref().and_then(|table| table.get(record.id));
        let name = |record| entry(record).map(|entry| &entry.group).filter(|name| !name.is_empty());
        let names: Vec<Vec<String>> =
            records.iter().map(|record| name(record).into_iter().cloned().collect()).collect();
        let members: Vec<Member<'_>> = records
            .iter()
            .zip(&names)
            .map(|(record, names)| {
                let kind = entry(record).map_or("", |entry| entry.kind.as_str());
                let Record { id, is_virus, rows: size } = *record;
                Member { id, is_virus, names, kind, size }
            })
            .collect();
        let groups = Groups::of_members(&members);
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut chunks = Vec::new();
        let mut place = Vec::new();
        for ((id, is_virus), record) in table.ids.iter().zip(&table.is_virus).zip(&of_row) {
            let group = groups.of_member()[*record];
            let chunk = *numbers.entry(chunk_of_frame(id)).or_insert_with(|| {
                chunks.push((group, *is_virus));
                chunks.len() - 1
            });
            place.push((chunk, group));
        }
        Ok(Self { place, chunks, groups })
    }
}

/// The record of a frame's id: `r_chunk_3F1` is of `r`. An id without the number of a chunk is returned
/// whole.
fn record_of(id: &str) -> &str {
    let chunk = chunk_of_frame(id);
    let record = record_of_chunk(chunk);
    if record.len() < chunk.len() { record } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_knows_its_chunk_and_record() {
        for (id, chunk, record) in [
            ("r_chunk_3F1", "r_chunk_3", "r"),
            ("a_chunk_1_chunk_12R3", "a_chunk_1_chunk_12", "a_chunk_1"),
            ("plain", "plain", "plain"),
            ("é", "é", "é"),
            ("F1", "", "F1"),
        ] {
            assert_eq!((chunk_of_frame(id), record_of(id)), (chunk, record));
        }
    }
}
