//! Reads the records of the data folder, and the lists that say where each comes from.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use vnp_seq::RecordReader;
use vnp_train::LabelledRecord;

use super::organism;

/// The files of the data folder: name, viral or not, list of sources.
pub(crate) const FILES: [(&str, bool, &str); 3] = [
    ("viral.fasta.gz", true, "SOURCES.tsv"),
    ("nonviral.fasta.gz", false, "SOURCES.tsv"),
    ("nonviral_more.fasta.gz", false, "SOURCES_more.tsv"),
];

/// The records and digests of the data folder.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub(crate) records: Vec<LabelledRecord>,
    /// Records left out because they belong to held-out organisms.
    pub(crate) held_out: Vec<String>,
    /// File name and SHA-256.
    pub(crate) digests: Vec<(String, String)>,
}

impl Data {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut data = Self::default();
        for (name, is_virus, list) in FILES {
            let path = folder.join(name);
            data.digests.push((name.to_owned(), sha256(&path)?));
            let origins = if list == "SOURCES.tsv" {
                origins(&folder.join(list), is_virus)?
            } else {
                more_origins(&folder.join(list))?
            };
            data.read_file(&path, is_virus, &origins)?;
        }
        Ok(data)
    }

    fn read_file(&mut self, path: &Path, is_virus: bool, origins: &[Origin]) -> Result<()> {
        let mut reader = RecordReader::open(path)?;
        let mut origins = origins.iter();
        while let Some(record) = reader.next_record()? {
            let origin = origins.next().with_context(|| {
                format!("{}: record {} is not in the list of sources", path.display(), record.id)
            })?;
            ensure!(
                origin.id == record.id && origin.length == record.sequence.len(),
                "{}: record {} of {} bp is listed as {} of {} bp",
                path.display(),
                record.id,
                record.sequence.len(),
                origin.id,
                origin.length
            );
            if organism::is_held_out(&origin.description) {
                self.held_out.push(origin.description.clone());
                continue;
            }
            self.records.push(LabelledRecord {
                id: origin.description.clone(),
                is_virus,
                names: origin.names.clone(),
                kind: origin.kind.to_owned(),
                sequence: record.sequence.to_ascii_uppercase(),
                coding: None,
            });
        }
        ensure!(origins.next().is_none(), "{}: fewer records than listed", path.display());
        Ok(())
    }
}

/// The records of a FASTA file, upper case, without labels.
pub(crate) fn read_sequences(path: &Path) -> Result<Vec<Vec<u8>>> {
    let mut reader = RecordReader::open(path)?;
    let mut sequences = Vec::new();
    while let Some(record) = reader.next_record()? {
        sequences.push(record.sequence.to_ascii_uppercase());
    }
    Ok(sequences)
}

pub(crate) fn sha256(path: &Path) -> Result<String> {
    let digest = Sha256::digest(fs_err::read(path)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

struct Origin {
    id: String,
    description: String,
    length: usize,
    names: Vec<String>,
    kind: &'static str,
}

/// Reads a list with columns `class record length source` and one line per record.
fn origins(path: &Path, is_virus: bool) -> Result<Vec<Origin>> {
    let class = if is_virus { "viral" } else { "nonviral" };
    let mut origins = Vec::new();
    for row in table(path)?.iter().filter(|row| row.get("class").is_some_and(|c| c == class)) {
        let field = |name| field(row, name, path);
        let description = field("record")?;
        let source = field("source")?;
        let (names, kind) = if is_virus {
            let family = organism::family(&description, &source);
            let mut names = organism::viral_names(&description);
            names.extend(family.map(str::to_owned));
            (names, organism::viral_kind(family, &source))
        } else {
            let species = organism::cellular_species(&description);
            let kind = organism::cellular_kind(&species, &description, &source);
            (vec![species], kind)
        };
        let id = description.split_whitespace().next().unwrap_or_default().to_owned();
        origins.push(Origin { id, length: field("length")?.parse()?, names, kind, description });
    }
    Ok(origins)
}

/// Reads a list with columns `class record species length …`, its records as `id:start-end`.
fn more_origins(path: &Path) -> Result<Vec<Origin>> {
    let mut origins = Vec::new();
    for row in &table(path)? {
        let field = |name| field(row, name, path);
        let (record, species) = (field("record")?, field("species")?.to_lowercase());
        let id = record.rsplit_once(':').map_or(record.as_str(), |(id, _)| id).to_owned();
        origins.push(Origin {
            id,
            length: field("length")?.parse()?,
            kind: organism::cellular_kind(&species, &record, &field("class")?),
            names: vec![species.clone()],
            description: format!("{record} {species}"),
        });
    }
    Ok(origins)
}

fn table(path: &Path) -> Result<Vec<HashMap<String, String>>> {
    let text = fs_err::read_to_string(path)?;
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap_or_default().split('\t').collect();
    let row = |line: &str| {
        let cells = header.iter().zip(line.split('\t'));
        cells.map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect()
    };
    Ok(lines.map(row).collect())
}

fn field(row: &HashMap<String, String>, name: &str, path: &Path) -> Result<String> {
    row.get(name).cloned().with_context(|| format!("{}: no column {name}", path.display()))
}
