//! Writing a bundle under a temporary name, and renaming it when it is complete.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use vnp_ckpt::sync_directory;
use vnp_ckpt::temporaries::{TemporaryName, Unlockable};
use vnp_escape::{FileKind, escaped_path};

use super::Bundle;
use super::files::FALLBACK;
use super::length::LengthSource;
use super::manifest::{
    BUNDLE_FORMAT, BundleDigests, Manifest, check_expected_length, config_json, head_digest_with,
    network_digest,
};
use super::parts::{Parts, TokenizerFile};
use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::architecture::{Architecture, NetworkSource};
use crate::error::Error;
use crate::error::weights::WeightsError;
use crate::head;
use crate::weights::Weights;
use crate::weights::tensors::Tensors;
use crate::weights::write::write;

/// Bundles that are being written.
const UNFINISHED: TemporaryName = TemporaryName::new(".vnp-bundle-");
/// The bundle in its temporary directory.
const NEW: &str = "bundle";

/// A bundle to be written: both encoders and the head, checked, and the fields of its manifest.
#[derive(Debug)]
pub struct BundleWriter {
    /// The bundle's name.
    pub name: String,
    /// The chunk length that the head was trained for, in bp.
    pub expected_length: u32,
    /// Chunk lengths that it was trained for as well.
    pub further_lengths: Vec<u32>,
    /// How far the chunk length is known: `None` of a head that was trained for this bundle.
    pub expected_length_source: Option<LengthSource>,
    /// The licence of the weights.
    pub licence: String,
    /// Where the weights come from: free-form, outside every digest.
    pub provenance: Value,
    pub(crate) parts: Parts,
}

/// Refuses a name that no bundle can be given: only what does not exist, or an empty directory, is replaced.
///
/// # Errors
/// [`Error::OutputExists`], [`WeightsError::NotTheFile`].
pub(super) fn refuse_taken(directory: &Path) -> Result<(), Error> {
    let path = || directory.to_owned();
    match directory.symlink_metadata().map(|found| FileKind::of(found.file_type())) {
        Err(_) => Ok(()),
        Ok(FileKind::Directory) => match fs_err::read_dir(directory)?.next().is_some() {
            true => Err(Error::OutputExists { path: path() }),
            false => Ok(()),
        },
        Ok(FileKind::File) => Err(Error::OutputExists { path: path() }),
        Ok(kind) => Err(WeightsError::NotTheFile {
            path: path(),
            found: kind.name(),
            remedy: "name the directory itself, which may be empty or missing".to_owned(),
        }
        .into()),
    }
}

impl BundleWriter {
    /// Takes both encoders, the text of the nucleotide encoder's `tokenizer.json`, and the head
    /// (named as [`Head::new`](crate::Head::new) says). Name, length, licence and provenance are
    /// fields to be set before writing.
    ///
    /// # Errors
    /// A config that cannot run, a tensor missing, misshaped or left over, a tokenizer that does
    /// not load or fit, a head that does not fit the encoders.
    pub fn new(
        (esm2_config, esm2): (Esm2Config, Tensors),
        (dnabert_config, dnabert): (DnabertConfig, Tensors),
        tokenizer_json: Vec<u8>,
        head: Tensors,
    ) -> Result<Self, Error> {
        Self::from_parts(Parts {
            esm2: NetworkSource::new(esm2_config, Arc::new(esm2))?,
            dnabert: NetworkSource::new(dnabert_config, Arc::new(dnabert))?,
            tokenizer: TokenizerFile {
                label: "tokenizer.json".to_owned(),
                json: tokenizer_json.into(),
            },
            head: head::tensors::select(Arc::new(head))?,
            fallback: None,
        })
    }

    pub(crate) fn from_parts(parts: Parts) -> Result<Self, Error> {
        parts.check_tokenizer()?;
        parts.check_heads()?;
        Ok(Self {
            name: String::new(),
            expected_length: 0,
            further_lengths: Vec::new(),
            expected_length_source: None,
            licence: String::new(),
            provenance: Value::Null,
            parts,
        })
    }

    /// The content of an open bundle, to be written again with another head or other fields.
    pub fn of(bundle: &Bundle) -> Self {
        let Bundle { manifest, parts } = bundle.clone();
        let Manifest { name, expected_length, further_lengths, .. } = manifest;
        let Manifest { expected_length_source, provenance, licence, .. } = manifest;
        Self {
            name,
            expected_length,
            further_lengths,
            expected_length_source,
            licence,
            provenance,
            parts,
        }
    }

    /// Replaces the head.
    ///
    /// # Errors
    /// A tensor missing, misshaped or left over, [`Error::HeadSize`].
    pub fn with_head(mut self, head: Tensors) -> Result<Self, Error> {
        self.parts.head = head::tensors::select(Arc::new(head))?;
        self.parts.check_heads()?;
        self.expected_length_source = None;
        Ok(self)
    }

    /// Adds or replaces the fallback head: a head over the nucleotide
    /// embedding alone, named as [`FallbackHead::new`](crate::FallbackHead::new) says.
    ///
    /// # Errors
    /// A tensor missing, misshaped or left over; [`Error::FallbackSize`].
    pub fn with_fallback(mut self, fallback: Tensors) -> Result<Self, Error> {
        self.parts.fallback = Some(head::tensors::select(Arc::new(fallback))?);
        self.parts.check_heads()?;
        Ok(self)
    }

    /// Removes the fallback head, as for a head that was trained on other data than it.
    #[must_use]
    pub fn without_fallback(mut self) -> Self {
        self.parts.fallback = None;
        self
    }

    /// Writes the bundle, opens it again and verifies it. `directory` must not exist, or be empty. The
    /// bundle is written next to it under another name, flushed to disk and renamed, so that it is
    /// never there in part. What killed processes left of theirs in the same place is removed before.
    ///
    /// # Errors
    /// [`Error::OutputExists`], [`WeightsError::NotTheFile`] for a link, [`Error::Io`], [`Error::Config`] for a length below 3 bp.
    pub fn write(&self, directory: &Path) -> Result<Bundle, Error> {
        check_expected_length("bundle.json", self.expected_length)?;
        refuse_taken(directory)?;
        let parent = match directory.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs_err::create_dir_all(parent)?;
        for removed in UNFINISHED.sweep(parent, Unlockable::Stays)? {
            log::info!("{} was left by a killed process: removed", escaped_path(&removed));
        }
        // Removed again when anything below fails, and when the process is interrupted.
        let temporary = UNFINISHED.directory(parent)?;
        self.write_files(&temporary.path().join(NEW))?;
        temporary.publish(NEW, directory)?;
        sync_directory(parent)?;
        Bundle::open(directory)
    }

    fn write_files(&self, root: &Path) -> Result<(), Error> {
        let Parts { esm2, dnabert, tokenizer, head, fallback } = &self.parts;
        let write_head = |name: &str, weights: &Weights| {
            head_digest_with(|hasher| write(&root.join(name), weights, hasher))
        };
        let write_fallback = |weights| write_head(FALLBACK, weights);
        let digests = BundleDigests {
            esm2: write_network(root, "esm2", esm2, None)?,
            dnabert: write_network(root, "dnabert", dnabert, Some(tokenizer))?,
            head: write_head("head.safetensors", head)?,
            fallback: fallback.as_ref().map(write_fallback).transpose()?,
        };
        let manifest = Manifest {
            format: BUNDLE_FORMAT,
            name: self.name.clone(),
            expected_length: self.expected_length,
            further_lengths: self.further_lengths.clone(),
            expected_length_source: self.expected_length_source,
            digests,
            provenance: self.provenance.clone(),
            licence: self.licence.clone(),
        };
        write_bytes(&root.join("bundle.json"), &config_json("bundle.json", &manifest)?)?;
        Ok(sync_directory(root)?)
    }
}

/// Writes the folder of an encoder, and returns its digest.
fn write_network<A: Architecture>(
    root: &Path,
    folder: &str,
    source: &NetworkSource<A>,
    tokenizer: Option<&TokenizerFile>,
) -> Result<String, Error> {
    let directory = root.join(folder);
    fs_err::create_dir_all(&directory)?;
    let config = config_json(&format!("{folder}/config.json"), &source.config)?;
    write_bytes(&directory.join("config.json"), &config)?;
    if let Some(tokenizer) = tokenizer {
        write_bytes(&directory.join("tokenizer.json"), &tokenizer.json)?;
    }
    let path = directory.join("model.safetensors");
    let digest = network_digest(source, tokenizer, |hasher| write(&path, &source.weights, hasher))?;
    sync_directory(&directory)?;
    Ok(digest)
}

fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    use std::io::Write;
    let mut file = fs_err::File::create(path)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{random_esm2, random_fallback_writer, random_head, random_writer};

    fn write_to(directory: &Path, writer: &BundleWriter) -> Bundle {
        writer.write(&directory.join("b")).unwrap()
    }

    #[test]
    fn what_is_written_is_what_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let writer = random_writer(1);
        let bundle = write_to(directory.path(), &writer);
        assert_eq!((bundle.name(), bundle.expected_length(), bundle.licence()), ("r", 500, "MIT"));
        assert_eq!(bundle.provenance(), &writer.provenance);
        assert_eq!(bundle.esm2_config(), &writer.parts.esm2.config);
        assert_eq!(bundle.dnabert_config(), &writer.parts.dnabert.config);
        let names = |weights: &Weights| -> Vec<String> {
            weights.infos().map(|(name, info)| format!("{name} {info:?}")).collect()
        };
        assert_eq!(names(&bundle.parts.esm2.weights), names(&writer.parts.esm2.weights));
        // No temporary is left.
        assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn digests_cover_weights_and_not_provenance() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, writer: &BundleWriter| {
            writer.write(&directory.path().join(name)).unwrap().digests().clone()
        };
        let mut writer = random_writer(1);
        let first = write("1", &writer);
        writer.provenance = serde_json::json!({"made": "another day"});
        writer.name = "another".to_owned();
        assert_eq!(write("2", &writer), first);
        let other = write("3", &random_writer(2));
        assert_ne!(other.esm2, first.esm2);
        assert_ne!(other.dnabert, first.dnabert);
        assert_ne!(other.head, first.head);
    }

    #[test]
    fn a_fallback_head_changes_no_other_digest_and_goes_with_its_encoder() {
        let directory = tempfile::tempdir().unwrap();
        let write =
            |name: &str, writer: &BundleWriter| writer.write(&directory.path().join(name)).unwrap();
        let plain = write("plain", &random_writer(1)).digests().clone();
        let bundle = write("fallback", &random_fallback_writer(1));
        let digests = bundle.digests().clone();
        assert!(digests.fallback.is_some());
        assert_eq!(BundleDigests { fallback: None, ..digests.clone() }, plain);
        // A copy is the same; with another head the fallback head stays, and can be replaced.
        let copy = || BundleWriter::of(&bundle);
        let copied = write("copy", &copy());
        assert_eq!((copied.digests(), copied.name()), (&digests, "r"));
        let copied = write("head", &copy().with_head(random_head(40, 5, 7)).unwrap());
        assert_ne!(copied.digests().head, digests.head);
        assert_eq!(copied.digests().fallback, digests.fallback);
        let copied = write("other", &copy().with_fallback(random_head(24, 3, 8)).unwrap());
        assert_ne!(copied.digests().fallback, digests.fallback);
        assert_eq!(copied.digests().head, digests.head);
        let Err(Error::FallbackSize { found: 25, nucleotide: 24, .. }) =
            copy().with_fallback(random_head(25, 3, 8))
        else {
            panic!()
        };
        let Err(Error::HeadSize { found: 24, .. }) = copy().with_head(random_head(24, 3, 8)) else {
            panic!()
        };
        let bare = write("bare", &copy().without_fallback());
        assert_eq!(*bare.digests(), plain);
        let mut short = copy();
        (short.expected_length, short.further_lengths) = (300, vec![200]);
        let short = write("short", &short);
        assert_eq!((short.expected_length(), short.licence()), (300, "MIT"));
        assert_eq!([200, 300, 500].map(|length| short.is_for(length)), [true, true, false]);
        assert_eq!(*short.digests(), digests);
    }

    /// Prefixes and copies of the rotary frequencies are a matter of distribution.
    #[test]
    fn digests_do_not_depend_on_names_in_distribution() {
        let digest = |prefix: &str, copies: bool| {
            let (config, tensors) = random_esm2(1, prefix, copies);
            let esm2 = NetworkSource::new(config, Arc::new(tensors)).unwrap();
            BundleDigests::compute(&Parts { esm2, ..random_writer(1).parts }).unwrap().esm2
        };
        let plain = digest("", false);
        assert_eq!(digest("esm.", false), plain);
        assert_eq!(digest("esm.", true), plain);
    }

    #[test]
    fn an_existing_directory_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let writer = random_writer(1);
        write_to(directory.path(), &writer);
        let Err(Error::OutputExists { path }) = writer.write(&directory.path().join("b")) else {
            panic!()
        };
        assert_eq!(path, directory.path().join("b"));
        Bundle::open(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_refused_before_anything_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs_err::create_dir(at("empty")).unwrap();
        for (link, target) in [("dangling", "nowhere"), ("link", "empty"), ("self", "self")] {
            std::os::unix::fs::symlink(target, at(link)).unwrap();
            let error = random_writer(1).write(&at(link)).unwrap_err().to_string();
            assert!(error.contains(&format!("{link} is a symbolic link: name the")), "{error}");
        }
        assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 4);
        assert_eq!(fs_err::read_dir(at("empty")).unwrap().count(), 0);
        random_writer(1).write(&at("empty")).unwrap();
    }

    #[test]
    fn an_impossible_length_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = random_writer(1);
        writer.expected_length = 2;
        let Err(Error::Config { field, found, .. }) = writer.write(&directory.path().join("b"))
        else {
            panic!()
        };
        assert_eq!((field, found.as_str()), ("expected_length", "2"));
        assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 0);
    }
}
