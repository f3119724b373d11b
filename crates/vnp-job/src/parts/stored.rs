//! The embeddings that a finished run kept, read back to learn from them.

use std::collections::BTreeMap;
use std::path::Path;

use vnp_ckpt::{Encoding, Header, Limits, Status, Value};

use super::identity::IDENTITY_KEY;
use super::manifest::RUN_JSON;
use super::part::Part;
use super::stage::Stage;
use crate::directory::CHECKPOINTS;
use crate::error::Error;
use crate::files::entries;
use crate::part_name::parse_file_name;

/// Every row of a finished run with both embeddings.
#[derive(Debug)]
pub struct StoredEmbeddings {
    /// Ids, one per row.
    pub ids: Vec<String>,
    /// Whether a row could not be computed; its embeddings are zeros then.
    pub failed: Vec<bool>,
    /// `[rows, nucleotide_size + protein_size]`, row-major.
    pub features: Vec<f32>,
    /// Width of a nucleotide embedding; 0 in a run without rows.
    pub nucleotide_size: usize,
    /// Width of a protein embedding; 0 in a run without rows.
    pub protein_size: usize,
    /// What computed them; none in a run without rows.
    pub encoders: Option<Encoders>,
}

/// What embeddings were computed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoders {
    /// The digest of the nucleotide encoder, as in a bundle.
    pub dnabert: String,
    /// The digest of the protein encoder.
    pub esm2: String,
    /// Their precision.
    pub precision: String,
    /// The chunk length in bp.
    pub chunk_length: u32,
}

impl StoredEmbeddings {
    /// Reads the embeddings of the finished run in `run`, every part verified.
    ///
    /// # Errors
    /// [`Error::MissingParts`] where the run is not finished or did not keep every row,
    /// [`Error::Mismatch`] where parts do not belong together, [`Error::Checkpoint`],
    /// [`Error::Io`].
    pub fn read(run: &Path) -> Result<Self, Error> {
        let rows = finished_rows(run)?;
        let nucleotide = KeptStage::open(run, Stage::Nucleotide)?;
        let protein = KeptStage::open(run, Stage::Protein)?;
        for kept in [&nucleotide, &protein] {
            if kept.rows != rows {
                let reason = format!("it keeps {} of {rows} {} embeddings", kept.rows, kept.stage);
                return Err(Error::MissingParts { path: run.to_owned(), reason });
            }
        }
        let width = nucleotide.width + protein.width;
        let count = usize::try_from(rows).unwrap_or(usize::MAX);
        let mut ids: Vec<String> = Vec::with_capacity(count);
        let mut failed = Vec::with_capacity(count);
        let mut features = vec![0.0; count.saturating_mul(width)];
        let mut slots = features.chunks_exact_mut(width.max(1));
        nucleotide.each_row(|id, values, row_failed| {
            ids.push(id.to_owned());
            failed.push(row_failed);
            if let Some(slot) = slots.next().and_then(|slot| slot.get_mut(..values.len())) {
                slot.copy_from_slice(values);
            }
            Ok(())
        })?;
        let mut slots = features.chunks_exact_mut(width.max(1));
        let mut known = ids.iter().zip(&mut failed).enumerate();
        protein.each_row(|id, values, row_failed| {
            let Some((row, (expected, failed))) = known.next() else { return Ok(()) };
            if id != expected {
                return Err(Error::Mismatch {
                    path: run.to_owned(),
                    what: format!("row {row} of the protein embeddings"),
                    expected: expected.clone(),
                    found: id.to_owned(),
                });
            }
            *failed |= row_failed;
            if let Some(slot) = slots.next().and_then(|slot| slot.get_mut(width - values.len()..)) {
                slot.copy_from_slice(values);
            }
            Ok(())
        })?;
        let encoders = match rows {
            0 => None,
            _ => Some(encoders(run, &nucleotide, &protein)?),
        };
        Ok(Self {
            ids,
            failed,
            features,
            nucleotide_size: nucleotide.width,
            protein_size: protein.width,
            encoders,
        })
    }
}

/// The rows that a finished run has.
fn finished_rows(run: &Path) -> Result<u64, Error> {
    let missing =
        |reason: &str| Error::MissingParts { path: run.to_owned(), reason: reason.to_owned() };
    let path = run.join(RUN_JSON);
    if !path.is_file() {
        return Err(missing("it holds no finished run (no run.json)"));
    }
    let manifest: serde_json::Value = serde_json::from_slice(&fs_err::read(&path)?)
        .map_err(|_| missing("its run.json is damaged"))?;
    let rows = manifest.pointer("/counts/rows").and_then(serde_json::Value::as_u64);
    rows.ok_or_else(|| missing("its run.json does not tell the number of rows"))
}

fn encoders(run: &Path, nucleotide: &KeptStage, protein: &KeptStage) -> Result<Encoders, Error> {
    let field = |kept: &KeptStage, name: &str| {
        kept.identity.get(name).cloned().ok_or_else(|| Error::Mismatch {
            path: run.to_owned(),
            what: format!("{name} of the {} embeddings", kept.stage),
            expected: "recorded in every part".to_owned(),
            found: "absent".to_owned(),
        })
    };
    let chunk_length = field(nucleotide, "chunk_length")?;
    Ok(Encoders {
        dnabert: field(nucleotide, "dnabert")?,
        esm2: field(protein, "esm2")?,
        precision: field(nucleotide, "precision")?,
        chunk_length: chunk_length.parse().map_err(|_| Error::Mismatch {
            path: run.to_owned(),
            what: "the chunk length".to_owned(),
            expected: "a number".to_owned(),
            found: chunk_length,
        })?,
    })
}

/// The parts of one embedding stage, which cover rows from 0 on; their values are not read yet.
struct KeptStage {
    stage: Stage,
    parts: Vec<Part>,
    rows: u64,
    /// Values per row; 0 in a stage without rows.
    width: usize,
    /// What its parts record that they were computed from and with.
    identity: BTreeMap<String, String>,
}

impl KeptStage {
    fn open(run: &Path, stage: Stage) -> Result<Self, Error> {
        let missing = |reason: String| Error::MissingParts { path: run.to_owned(), reason };
        let folder = run.join(CHECKPOINTS).join(stage.name());
        if !folder.is_dir() {
            return Err(missing(format!("it has no {CHECKPOINTS}/{stage}")));
        }
        let mut kept =
            Self { stage, parts: Vec::new(), rows: 0, width: 0, identity: BTreeMap::new() };
        // Names sort as rows do.
        for path in entries(&folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if parse_file_name(&name).is_none() {
                continue;
            }
            let header = vnp_ckpt::read_header(&path, &Limits::default())?;
            if header.rows.start > kept.rows {
                return Err(missing(format!(
                    "the {stage} embeddings of rows {}..{} are missing",
                    kept.rows, header.rows.start
                )));
            }
            kept.compare(&path, &header)?;
            kept.rows = kept.rows.max(header.rows.end);
            kept.parts.push(Part::of_header(stage, &path, &header));
        }
        Ok(kept)
    }

    /// Compares a part with those before it.
    fn compare(&mut self, path: &Path, header: &Header) -> Result<(), Error> {
        let mismatch = |what: &str, expected: String, found: String| Error::Mismatch {
            path: path.to_owned(),
            what: what.to_owned(),
            expected,
            found,
        };
        let kind = self.stage.name();
        if header.kind != kind || header.status != Status::Complete {
            let found = format!("{} {}", header.status, header.kind);
            return Err(mismatch("the part", format!("complete {kind}"), found));
        }
        let tensor = self.stage.tensor();
        let section = header.sections.iter().find(|section| section.name == tensor);
        let width = match section.map(|section| &section.encoding) {
            Some(Encoding::Tensor { shape, .. }) => match shape.as_slice() {
                [_, width] if *width > 0 => *width,
                other => {
                    let found = format!("{other:?}");
                    return Err(mismatch("the shape", "[rows, size]".into(), found));
                }
            },
            _ => return Err(mismatch("the tensor", tensor.to_owned(), "absent".to_owned())),
        };
        let identity: BTreeMap<String, String> = match header.metadata.get(IDENTITY_KEY) {
            Some(Value::Map(fields)) => fields
                .iter()
                .map(|(field, value)| {
                    let text = value.as_str().map_or_else(|| format!("{value:?}"), str::to_owned);
                    (field.clone(), text)
                })
                .collect(),
            _ => BTreeMap::new(),
        };
        if self.parts.is_empty() {
            self.width = width;
            self.identity = identity;
            return Ok(());
        }
        if width != self.width {
            return Err(mismatch("the size", self.width.to_string(), width.to_string()));
        }
        if identity != self.identity {
            let (expected, found) = (&self.identity, &identity);
            return Err(mismatch("the identity", format!("{expected:?}"), format!("{found:?}")));
        }
        Ok(())
    }

    /// Reads the parts in order, and gives each row once: id, values, whether it failed.
    fn each_row(
        &self,
        mut row: impl FnMut(&str, &[f32], bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut next = 0;
        for part in &self.parts {
            // Parts may overlap; a row that is known is not given again.
            let known = usize::try_from(next - part.rows.start).unwrap_or(usize::MAX);
            for (id, values, failed) in part.read()?.iter().skip(known) {
                row(id, values, failed)?;
            }
            next = next.max(part.rows.end);
        }
        Ok(())
    }
}
