//! The feature files of a run directory of the Python tools.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use vnp_ckpt::{Checkpoint, Dtype, Encoding, Limits, Status, Tensor};
use vnp_escape::escaped_path;
use vnp_job::BadFile;
use vnp_job::parts::Stage;
use vnp_seq::RecordReader;

use crate::error::Error;

/// The tensor that holds the features of either stage.
const EMBEDDING: &str = "embedding";

/// How the directories end in which the Python tools keep features.
const DIRECTORIES: [&str; 2] = ["_nucleotide", "_protein"];

/// How the names of feature files go on after the name of the FASTA they were made of.
const SUFFIXES: [&str; 3] = ["_DNABERT_S.pt", "_DNABERT.pt", "_ESM.pt"];

/// A file of features: its ids are known, its values are not read yet.
#[derive(Debug)]
pub(super) struct FeatureFile {
    pub(super) path: PathBuf,
    pub(super) stage: Stage,
    pub(super) ids: Vec<String>,
    /// Hashes of the sequences that the features were computed from, where their FASTA lies beside.
    sequences: HashMap<String, u128>,
}

/// The feature files of a run directory of the Python tools.
#[derive(Debug, Default)]
pub(super) struct Features {
    pub(super) files: Vec<FeatureFile>,
    /// Files that cannot be used, and why.
    pub(super) bad: Vec<BadFile>,
}

impl Features {
    /// Finds and opens the feature files of `dir`: those in itself, in its directories
    /// `*_nucleotide` and `*_protein`, and in `.checkpoints/shard_*`. Runs that lie inside of it
    /// are not looked into.
    pub(super) fn open(dir: &Path, width_of: impl Fn(Stage) -> usize) -> Result<Self, Error> {
        let mut features = Self::default();
        for path in feature_paths(dir)? {
            match open(&path, &width_of)? {
                Opened::Features(file) => features.files.push(*file),
                Opened::Bad(reason) => features.bad.push(BadFile { path, reason }),
                Opened::Other(kind) => log::debug!("{} holds {kind}: ignored", escaped_path(&path)),
            }
        }
        Ok(features)
    }
}

/// The widths of the features in a run directory of the Python tools: of a nucleotide row and of
/// a protein row.
///
/// # Errors
/// [`Error::NoOldFeatures`] where one of them cannot be learned; [`Error::Io`] where `dir` cannot
/// be listed.
pub fn old_feature_widths(dir: &Path) -> Result<(usize, usize), Error> {
    let mut widths = HashMap::new();
    for path in feature_paths(dir)? {
        let Ok(header) = vnp_ckpt::read_header(&path, &Limits::default()) else { continue };
        let section = header.sections.iter().find(|section| section.name == EMBEDDING);
        if let Some(Encoding::Tensor { shape, .. }) = section.map(|section| &section.encoding)
            && let [rows, width] = shape[..]
            && rows > 0
        {
            widths.entry(header.kind).or_insert(width);
        }
    }
    let width = |stage: Stage| widths.get(stage.name()).copied();
    width(Stage::Nucleotide)
        .zip(width(Stage::Protein))
        .ok_or_else(|| Error::NoOldFeatures { path: dir.to_owned() })
}

impl FeatureFile {
    /// Whether the features of `id` were computed from `sequence`, or there is no FASTA file to tell from.
    pub(super) fn was_made_of(&self, id: &str, sequence: &str) -> bool {
        self.sequences.is_empty() || self.sequences.get(id) == Some(&hash(sequence))
    }

    /// The error that this file, which was verified when it was opened, cannot be read now. Never
    /// one that looks like that of a part, which would be quarantined: old files are only read.
    pub(super) fn blame(&self, error: vnp_ckpt::Error) -> Error {
        if !error.is_corrupted() && !error.is_incompatible() {
            return error.into();
        }
        let reason = error.kind().to_string();
        Error::BadOldFiles { files: vec![BadFile { path: self.path.clone(), reason }] }
    }

    /// The values, `[rows, width]` row-major. Whatever proves them is compared.
    pub(super) fn values(&self) -> Result<Vec<f32>, vnp_ckpt::Error> {
        let checkpoint = vnp_ckpt::load_with_compatibility(&self.path, &Limits::default())?;
        match checkpoint.tensor(EMBEDDING) {
            Some(tensor) => to_f32(tensor),
            None => {
                let missing = vnp_ckpt::ErrorKind::MissingField { field: EMBEDDING.to_owned() };
                Err(missing.in_file(&self.path))
            }
        }
    }
}

/// Old files hold 64-bit floats where Python widened them.
fn to_f32(tensor: &Tensor) -> Result<Vec<f32>, vnp_ckpt::Error> {
    match tensor.dtype() {
        Dtype::F64 => Ok(tensor.as_f64()?.iter().map(|&value| value as f32).collect()),
        _ => tensor.to_f32_vec(),
    }
}

fn feature_paths(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = files_in(dir)?;
    for path in directories_in(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if DIRECTORIES.iter().any(|ending| name.ends_with(ending)) {
            paths.extend(files_in(&path)?);
        } else if name == ".checkpoints" {
            for shard in directories_in(&path)? {
                paths.extend(files_in(&shard)?);
            }
        }
    }
    paths.sort();
    Ok(paths)
}

/// The PyTorch files that lie in a directory; hidden ones are those of file managers.
fn files_in(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        let is_torch = path.extension().is_some_and(|extension| extension == "pt");
        if is_torch && !is_hidden && !path.is_dir() {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn directories_in(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        // Links to directories are not followed: they lead out of the run.
        if entry.file_type()?.is_dir() {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

enum Opened {
    Features(Box<FeatureFile>),
    Bad(String),
    Other(String),
}

fn open(path: &Path, width_of: &impl Fn(Stage) -> usize) -> Result<Opened, Error> {
    let opened = Checkpoint::open(path, &Limits::default()).and_then(|mut file| {
        file.verify()?;
        Ok((file.header().clone(), file.ids()?))
    });
    let (header, ids) = match opened {
        Ok(opened) => opened,
        Err(error) if error.is_corrupted() || error.is_incompatible() => {
            return Ok(Opened::Bad(error.kind().to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let Some(stage) = Stage::EMBEDDINGS.into_iter().find(|stage| stage.name() == header.kind)
    else {
        return Ok(Opened::Other(header.kind));
    };
    if header.status != Status::Complete {
        return Ok(Opened::Bad(format!("says {}", header.status)));
    }
    let section = header.sections.iter().find(|section| section.name == EMBEDDING);
    let shape = match section.map(|section| &section.encoding) {
        Some(Encoding::Tensor { shape, .. }) => shape.as_slice(),
        _ => &[],
    };
    let expected = [ids.len(), width_of(stage)];
    // A file without rows does not know how wide they would be.
    if shape != expected && !ids.is_empty() {
        return Ok(Opened::Bad(format!(
            "holds features of shape {shape:?}, the {stage} encoder of this model gives {expected:?}"
        )));
    }
    let sequences = sequences_beside(path)?;
    Ok(Opened::Features(Box::new(FeatureFile { path: path.to_owned(), stage, ids, sequences })))
}

/// Hashes of the sequences in the FASTA file that a feature file was made of, if it is there.
fn sequences_beside(path: &Path) -> Result<HashMap<String, u128>, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
    let fasta = stem.map(|stem| path.with_file_name(format!("{stem}.fa")));
    let Some(fasta) = fasta.filter(|fasta| fasta.is_file()) else { return Ok(HashMap::new()) };
    // Selenocysteine is a letter of proteins; nucleotides of the Python tools hold no U.
    let mut reader = RecordReader::open(&fasta)?.keep_u();
    let mut sequences = HashMap::new();
    while let Some(record) = reader.next_record()? {
        let sequence = String::from_utf8_lossy(&record.sequence).to_ascii_uppercase();
        sequences.insert(record.id, hash(&sequence));
    }
    Ok(sequences)
}

fn hash(sequence: &str) -> u128 {
    twox_hash::XxHash3_128::oneshot(sequence.as_bytes())
}
