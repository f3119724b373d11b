//! The output of a run that embeds records: its name, and what already lies under that name.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use vnp_ckpt::{Checkpoint, CheckpointFile, ErrorKind, Format, Limits, MAGIC, Value};
use vnp_job::parts::{IDENTITY_KEY, differences_of_metadata};
use vnp_job::publish::sync_directory;
use vnp_job::{BadFile, Difference, JobDirectory, Start, remove_file_if_there};

use super::identity::EmbedIdentity;
use super::replacement::is_allowed;
use crate::error::Error;

/// The kind of the checkpoint.
pub(super) const KIND: &str = "embedding";
/// Metadata: the number of rows that could not be computed.
pub(super) const FAILED: &str = "rows_failed";

/// The file that a run writes.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    format: Format,
}

/// What lies under the output's name, if it may be replaced at all.
enum Found {
    /// Nothing, or a link to nothing.
    Nothing,
    /// An output of `vnp embed`; its payloads were not read.
    Ours(CheckpointFile),
    /// An empty file, or a native file that is damaged, and why it cannot be opened.
    Damaged(String),
}

/// What an earlier output is to a run of one identity.
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

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// The directory of the parts.
    pub(super) fn parts(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".parts");
        name.into()
    }

    /// Whether a run that starts so may write it; returns whether something is there that it replaces.
    pub(super) fn check(&self, start: Start) -> Result<bool, Error> {
        if start != Start::New {
            return Ok(!matches!(self.find()?, Found::Nothing));
        }
        if self.length()?.is_some() || self.path.is_symlink() {
            return Err(Error::OutputFileExists { path: self.path.clone() });
        }
        Ok(false)
    }

    /// The length of the file under the name, in bytes; none if nothing is there, or a link to nothing.
    fn length(&self) -> Result<Option<u64>, Error> {
        match fs_err::metadata(&self.path) {
            Ok(found) if found.is_dir() => Err(self.not_ours("a directory")),
            Ok(found) if !found.is_file() => Err(self.not_ours("a device or a pipe")),
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What lies under the name. Whatever a run replaces or quarantines passes through here: a file that is
    /// not recognisably of `vnp embed` is an error.
    fn find(&self) -> Result<Found, Error> {
        match self.length()? {
            None => return Ok(Found::Nothing),
            Some(0) => return Ok(Found::Damaged("the file is empty".to_owned())),
            Some(_) => {}
        }
        let is_native = self.is_native()?;
        let error = match Checkpoint::open(&self.path, &Limits::default()) {
            Ok(file) if file.header().kind == KIND && (is_native || has_identity(&file)) => {
                return Ok(Found::Ours(file));
            }
            Ok(file) => {
                return Err(self.not_ours(&match file.header().kind.as_str() {
                    "" | KIND => "a file that vnp embed did not write".to_owned(),
                    kind => {
                        format!("a checkpoint of kind {kind}, which vnp embed did not write")
                    }
                }));
            }
            Err(error) => error,
        };
        match error.kind() {
            // A file that cannot be inspected is not known to be anything.
            ErrorKind::Io { .. } | ErrorKind::OutOfMemory { .. } => Err(error.into()),
            ErrorKind::NotACheckpoint { .. } => {
                Err(self.not_ours("a file that is not a checkpoint"))
            }
            // Only its first bytes show whose a damaged file is: those of other formats are anybody's.
            kind if is_native
                && error.is_corrupted()
                && !matches!(kind, ErrorKind::LimitExceeded { .. }) =>
            {
                Ok(Found::Damaged(kind.to_string()))
            }
            kind => Err(self.not_ours(&format!(
                "a file that cannot be recognised as one of vnp embed ({kind})"
            ))),
        }
    }

    fn is_native(&self) -> Result<bool, Error> {
        let mut start = Vec::new();
        fs_err::File::open(&self.path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
        Ok(start == MAGIC)
    }

    fn not_ours(&self, found: &str) -> Error {
        Error::OutputNotOurs { path: self.path.clone(), found: found.to_owned() }
    }

    /// What the file under the name is to a run of this identity.
    pub(super) fn existing(&self, identity: &EmbedIdentity) -> Result<Existing, Error> {
        let mut file = match self.find()? {
            Found::Nothing => return Ok(Existing::Absent),
            Found::Damaged(reason) => return Ok(Existing::Bad(self.bad(reason))),
            Found::Ours(file) => file,
        };
        let differences = differences_of_metadata(identity.fields(), &file.header().metadata);
        if !differences.is_empty() {
            return Ok(Existing::Other(differences));
        }
        if let Err(error) = file.verify() {
            return match error.kind() {
                ErrorKind::Io { .. } | ErrorKind::OutOfMemory { .. } => Err(error.into()),
                kind => Ok(Existing::Bad(self.bad(kind.to_string()))),
            };
        }
        let failed = file.header().metadata.get(FAILED).and_then(|failed| match failed {
            Value::Int(failed) => u64::try_from(*failed).ok(),
            _ => None,
        });
        Ok(match failed {
            Some(failed) => Existing::Finished(failed),
            None => Existing::Bad(self.bad(format!("its metadata has no number `{FAILED}`"))),
        })
    }

    fn bad(&self, reason: String) -> BadFile {
        BadFile { path: self.path.clone(), reason }
    }

    /// Where the file is written before it gets its name, and the native file that another format is
    /// converted from.
    pub(super) fn unpublished(&self, directory: &JobDirectory) -> (PathBuf, PathBuf) {
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

    /// Moves a complete file to the output's name, over an earlier output if the run replaces one; it is
    /// durable there when this returns. What was put there while the run computed is refused.
    pub(super) fn publish(&self, complete: &Path, directory: &JobDirectory) -> Result<(), Error> {
        if !matches!(self.find()?, Found::Nothing) && !is_allowed(directory) {
            return Err(Error::OutputFileExists { path: self.path.clone() });
        }
        fs_err::rename(complete, &self.path)?;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(sync_directory(parent.unwrap_or(Path::new(".")))?)
    }
}

/// Whether a file of any format has what only `vnp embed` writes.
fn has_identity(file: &CheckpointFile) -> bool {
    let metadata = &file.header().metadata;
    matches!(metadata.get(IDENTITY_KEY), Some(Value::Map(_))) && metadata.contains_key(FAILED)
}
