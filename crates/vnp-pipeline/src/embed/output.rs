//! The output of a run that embeds records: written from its parts, and recognised when it is finished.

use std::io;
use std::path::{Path, PathBuf};

use vnp_ckpt::{Checkpoint, Dtype, ErrorKind, Format, Limits, Producer, RowRange, Value};
use vnp_job::parts::{IDENTITY_KEY, Inventory, Stage, differences_of_metadata};
use vnp_job::publish::sync_directory;
use vnp_job::{BadFile, Difference, JobDirectory, Start, StopFlag, remove_file_if_there};

use super::failures::Failures;
use super::identity::EmbedIdentity;
use super::options::EncoderInfo;
use super::records::Records;
use crate::error::Error;

/// The kind of the checkpoint.
const KIND: &str = "embedding";
/// Metadata: the number of rows that could not be computed.
const FAILED: &str = "rows_failed";
const EMBEDDING: &str = "embedding";
const STATUS: &str = "status";

/// The file that a run writes.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    format: Format,
}

/// What a file under the output's name is.
#[derive(Debug)]
pub(super) enum Existing {
    /// There is none.
    Absent,
    /// The finished output of this identity, intact; with the number of failed rows.
    Finished(u64),
    /// The output of another identity.
    Other(Vec<Difference>),
    /// Damaged.
    Bad(BadFile),
}

impl Output {
    /// The output at `path`, whose extension must be one of a format.
    pub(super) fn new(path: PathBuf) -> Result<Self, Error> {
        match Format::of_path(&path) {
            Some(format) => Ok(Self { path, format }),
            None => Err(Error::OutputFormat { path }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the parts.
    pub(super) fn parts(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".parts");
        name.into()
    }

    /// Whether a run that starts so may write it.
    pub(super) fn check(&self, start: Start) -> Result<(), Error> {
        match (self.exists()?, start) {
            (false, _) | (true, Start::Resume) => Ok(()),
            (true, Start::New) => Err(Error::OutputFileExists { path: self.path.clone() }),
            (true, Start::Again) => self.check_replaceable(),
        }
    }

    /// Whether something is there under the name.
    fn exists(&self) -> Result<bool, Error> {
        match fs_err::symlink_metadata(&self.path) {
            Ok(found) if found.is_dir() => Err(self.not_ours("a directory")),
            Ok(_) => match fs_err::metadata(&self.path) {
                Ok(found) if !found.is_file() => Err(self.not_ours("a device or a pipe")),
                // A link to nothing is replaced.
                Ok(_) | Err(_) => Ok(true),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses to replace what no run of this kind wrote. A damaged checkpoint may be replaced, and an
    /// empty file.
    fn check_replaceable(&self) -> Result<(), Error> {
        match Checkpoint::open(&self.path, &Limits::default()) {
            Ok(file) if file.header().kind != KIND => {
                let kind = &file.header().kind;
                Err(self.not_ours(&format!(
                    "a checkpoint of kind {kind}, which vnp embed did not write"
                )))
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::NotACheckpoint { .. })
                    && fs_err::metadata(&self.path)?.len() > 0 =>
            {
                Err(self.not_ours("a file that is not a checkpoint"))
            }
            _ => Ok(()),
        }
    }

    fn not_ours(&self, found: &str) -> Error {
        Error::OutputNotOurs { path: self.path.clone(), found: found.to_owned() }
    }

    /// What the file under the name is to a run of this identity.
    pub(super) fn existing(&self, identity: &EmbedIdentity) -> Result<Existing, Error> {
        if !self.exists()? {
            return Ok(Existing::Absent);
        }
        let opened = Checkpoint::open(&self.path, &Limits::default()).and_then(|mut file| {
            let differences = differences_of_metadata(identity.fields(), &file.header().metadata);
            if differences.is_empty() {
                file.verify()?;
            }
            Ok((differences, file.header().metadata.get(FAILED).cloned()))
        });
        match opened {
            Ok((differences, _)) if !differences.is_empty() => Ok(Existing::Other(differences)),
            Ok((_, Some(Value::Int(failed)))) => {
                Ok(Existing::Finished(u64::try_from(failed).unwrap_or_default()))
            }
            Ok(_) => Ok(Existing::Bad(self.bad(format!("its metadata has no `{FAILED}`")))),
            Err(error) => match error.kind() {
                // A file that cannot be inspected is not known to be bad.
                ErrorKind::Io { .. } | ErrorKind::OutOfMemory { .. } => Err(error.into()),
                kind => Ok(Existing::Bad(self.bad(kind.to_string()))),
            },
        }
    }

    fn bad(&self, reason: String) -> BadFile {
        BadFile { path: self.path.clone(), reason }
    }

    /// Removes the output of an earlier run.
    pub(super) fn remove(&self) -> Result<(), Error> {
        Ok(remove_file_if_there(&self.path)?)
    }

    /// Where the file is written before it gets its name, and the native file that another format is made of.
    fn unpublished(&self, directory: &JobDirectory) -> (PathBuf, PathBuf) {
        let name = self.path.file_name().unwrap_or_default();
        let complete = directory.checkpoints().join(name);
        let mut native = complete.clone();
        if self.format != Format::Native {
            native.as_mut_os_string().push(".vnp");
        }
        (complete, native)
    }

    /// Removes what a killed session had written and not, or not durably, moved to its name.
    pub(super) fn remove_unpublished(&self, directory: &JobDirectory) -> Result<(), Error> {
        let (complete, native) = self.unpublished(directory);
        remove_file_if_there(&complete)?;
        Ok(remove_file_if_there(&native)?)
    }

    /// Moves a complete file to the output's name; it is durable there when this returns.
    fn publish(&self, complete: &Path) -> Result<(), Error> {
        fs_err::rename(complete, &self.path)?;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(sync_directory(parent.unwrap_or(Path::new(".")))?)
    }
}

/// Everything that the output is written from.
pub(super) struct Publication<'a> {
    pub(super) output: &'a Output,
    pub(super) directory: &'a JobDirectory,
    pub(super) encoder: &'a EncoderInfo,
    pub(super) identity: &'a EmbedIdentity,
    /// The ids of all rows.
    pub(super) ids: Vec<String>,
    /// The digest of the input when it was first read.
    pub(super) input_digest: &'a str,
    pub(super) stop: &'a StopFlag,
}

impl Publication<'_> {
    /// Writes the output from the parts, whose rows are compared with the input, read again. Returns the
    /// failed rows.
    ///
    /// The native file is written row by row; another format is made of its mapped pages. Both are
    /// written where the parts lie, so that a killed process leaves nothing next to the output.
    pub(super) fn write(
        mut self,
        stage: Stage,
        inventory: &Inventory,
        records: Records,
    ) -> Result<Failures, Error> {
        let (complete, native) = self.output.unpublished(self.directory);
        let failed = self.write_native(&native, stage, inventory, records)?;
        if self.output.format != Format::Native {
            let checkpoint = Checkpoint::open(&native, &Limits::default())?.map()?;
            self.output.format.save(&complete, &checkpoint)?;
            drop(checkpoint);
            remove_file_if_there(&native)?;
        }
        self.stop.check()?;
        self.directory.check_lock()?;
        self.output.publish(&complete)?;
        Ok(failed)
    }

    /// The header, which has the number, comes before the rows.
    fn count_failed(&self, stage: Stage, inventory: &Inventory) -> Result<u64, Error> {
        let mut failed = 0;
        for part in inventory.parts(stage) {
            self.stop.check()?;
            let status = Checkpoint::open(&part.path, &Limits::default())?.tensor(STATUS)?;
            let status = status.map(|status| status.as_u8().map(<[u8]>::to_vec)).transpose()?;
            failed += status.iter().flatten().filter(|status| **status != 0).count() as u64;
        }
        Ok(failed)
    }

    fn write_native(
        &mut self,
        path: &Path,
        stage: Stage,
        inventory: &Inventory,
        mut records: Records,
    ) -> Result<Failures, Error> {
        let EncoderInfo { name, precision, hidden_size, .. } = self.encoder;
        let rows = RowRange::new(0, self.ids.len() as u64);
        let missing = inventory.missing(stage, rows);
        if !missing.is_empty() {
            return Err(Error::Incomplete { stage, missing });
        }
        let count = self.count_failed(stage, inventory)?;
        let mut writer = Checkpoint::builder(KIND)
            .rows(rows)
            .ids(std::mem::take(&mut self.ids))
            .streamed_tensor(EMBEDDING, Dtype::F32, [*hidden_size])
            .streamed_tensor(STATUS, Dtype::U8, [])
            .metadata("encoder", name.as_str())
            .metadata("precision", precision.as_str())
            .metadata(IDENTITY_KEY, Value::Map(self.identity.fields().clone()))
            .metadata(FAILED, i64::try_from(count).unwrap_or(i64::MAX))
            .producer(Producer { name: "vnp".into(), version: env!("CARGO_PKG_VERSION").into() })
            .create(path)?;
        let changed = |found: String| Error::InputChanged { found };
        let (mut row, mut failed) = (0, Failures::default());
        for part in inventory.parts(stage) {
            let values = part.read()?;
            let mut status = Vec::with_capacity(values.len());
            for index in 0..values.len() {
                self.stop.check()?;
                let ended = || changed(format!("it ended after {row} records"));
                let record = records.next()?.ok_or_else(ended)?;
                if let Err(found) = values.check(index, record.source()) {
                    let (path, expected) = (part.path.clone(), record.id);
                    return Err(Error::RowMismatch { path, row, expected, found });
                }
                if values.is_failed(index) {
                    let not_finite = || "its embedding is not finite".to_owned();
                    failed.add(&record.id, record.failure.unwrap_or_else(not_finite));
                }
                status.push(u8::from(values.is_failed(index)));
                row += 1;
            }
            writer.append(EMBEDDING, values.slice(&(0..values.len())))?;
            writer.append(STATUS, &status)?;
        }
        if records.next()?.is_some() || records.digest() != self.input_digest {
            return Err(changed(format!("its digest is now {}", records.digest())));
        }
        writer.finish()?;
        Ok(failed)
    }
}
