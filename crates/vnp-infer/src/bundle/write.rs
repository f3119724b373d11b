//! Writing a bundle.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::manifest::{
    BUNDLE_FORMAT, BundleDigests, Manifest, check_expected_length, config_json,
    dnabert_digest_with, esm2_digest_with, head_digest_with,
};
use super::{Bundle, DnabertFiles, Esm2Files, FALLBACK};
use crate::encoder::{dnabert, esm2};
use crate::tokenizer::dnabert::DnabertTokenizer;
use crate::weights::{Weights, write::write};
use crate::{DnabertConfig, Error, Esm2Config, Tensors, head};

/// A bundle to be written: both encoders and the head, checked, and what to say about them.
#[derive(Debug)]
pub struct BundleWriter {
    /// The bundle's name.
    pub name: String,
    /// The chunk length that the head was trained for, in bp.
    pub expected_length: u32,
    /// Chunk lengths that it was trained for as well.
    pub further_lengths: Vec<u32>,
    /// The licence of the weights.
    pub licence: String,
    /// Where the weights come from: free-form, outside every digest.
    pub provenance: Value,
    pub(crate) esm2: Esm2Files,
    pub(crate) dnabert: DnabertFiles,
    pub(crate) head: Weights,
    pub(crate) fallback: Option<Weights>,
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
        let esm2 =
            Esm2Files { weights: esm2::select(&esm2_config, Arc::new(esm2))?, config: esm2_config };
        let dnabert = DnabertFiles {
            weights: dnabert::select(&dnabert_config, Arc::new(dnabert))?,
            config: dnabert_config,
            tokenizer: tokenizer_json.into(),
            tokenizer_label: "tokenizer.json".to_owned(),
        };
        Self::from_parts(esm2, dnabert, head::select(Arc::new(head))?)
    }

    pub(crate) fn from_parts(
        esm2: Esm2Files,
        dnabert: DnabertFiles,
        head: Weights,
    ) -> Result<Self, Error> {
        DnabertTokenizer::new(&dnabert.tokenizer_label, &dnabert.tokenizer)?
            .check_vocabulary(dnabert.config.vocab_size)?;
        head::check_size(&head, dnabert.config.hidden_size, esm2.config.hidden_size)?;
        Ok(Self {
            name: String::new(),
            expected_length: 0,
            further_lengths: Vec::new(),
            licence: String::new(),
            provenance: Value::Null,
            esm2,
            dnabert,
            head,
            fallback: None,
        })
    }

    /// Everything of an open bundle, to be written again with another head or other words.
    pub fn of(bundle: &Bundle) -> Self {
        let Bundle { manifest, esm2, dnabert, head, fallback } = bundle.clone();
        let Manifest { name, expected_length, further_lengths, provenance, licence, .. } = manifest;
        Self {
            name,
            expected_length,
            further_lengths,
            licence,
            provenance,
            esm2,
            dnabert,
            head,
            fallback,
        }
    }

    /// Takes another head in place of the one there.
    ///
    /// # Errors
    /// A tensor missing, misshaped or left over, [`Error::HeadSize`].
    pub fn with_head(mut self, head: Tensors) -> Result<Self, Error> {
        self.head = head::select(Arc::new(head))?;
        let (nucleotide, protein) = (self.dnabert.config.hidden_size, self.esm2.config.hidden_size);
        head::check_size(&self.head, nucleotide, protein)?;
        Ok(self)
    }

    /// Adds a fallback head, or takes this one in place of the one there: a head over the nucleotide
    /// embedding alone, named as [`FallbackHead::new`](crate::FallbackHead::new) says.
    ///
    /// # Errors
    /// A tensor missing, misshaped or left over; [`Error::FallbackSize`].
    pub fn with_fallback(self, fallback: Tensors) -> Result<Self, Error> {
        self.with_fallback_weights(head::select(Arc::new(fallback))?)
    }

    /// Leaves out the fallback head: one that was trained on other data than the head.
    #[must_use]
    pub fn without_fallback(mut self) -> Self {
        self.fallback = None;
        self
    }

    pub(crate) fn with_fallback_weights(mut self, fallback: Weights) -> Result<Self, Error> {
        head::check_fallback_size(&fallback, self.dnabert.config.hidden_size)?;
        self.fallback = Some(fallback);
        Ok(self)
    }

    /// Writes the bundle and opens it again, proved. `directory` must not exist, or be empty. The
    /// bundle is written beside it under another name, flushed to disk and renamed, so that no
    /// half of one is ever there.
    ///
    /// # Errors
    /// [`Error::OutputExists`], [`Error::Io`], [`Error::Config`] for a length below 3 bp.
    pub fn write(&self, directory: &Path) -> Result<Bundle, Error> {
        check_expected_length("bundle.json", self.expected_length)?;
        if fs_err::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
            || directory.is_file()
        {
            return Err(Error::OutputExists { path: directory.to_owned() });
        }
        let parent = match directory.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs_err::create_dir_all(parent)?;
        // Removed again when anything below fails.
        let temporary = tempfile::Builder::new().prefix(".vnp-bundle-").tempdir_in(parent)?;
        let root = temporary.path().join("bundle");
        self.write_files(&root)?;
        fs_err::rename(&root, directory)?;
        sync_directory(parent)?;
        Bundle::open(directory)
    }

    fn write_files(&self, root: &Path) -> Result<(), Error> {
        fs_err::create_dir_all(root.join("esm2"))?;
        fs_err::create_dir_all(root.join("dnabert"))?;
        let config = config_json("esm2/config.json", &self.esm2.config)?;
        write_bytes(&root.join("esm2/config.json"), &config)?;
        let path = root.join("esm2/model.safetensors");
        let weights = &self.esm2.weights;
        let esm2 = esm2_digest_with(&self.esm2, |hasher| write(&path, weights, hasher))?;
        let config = config_json("dnabert/config.json", &self.dnabert.config)?;
        write_bytes(&root.join("dnabert/config.json"), &config)?;
        write_bytes(&root.join("dnabert/tokenizer.json"), &self.dnabert.tokenizer)?;
        let path = root.join("dnabert/model.safetensors");
        let weights = &self.dnabert.weights;
        let dnabert = dnabert_digest_with(&self.dnabert, |hasher| write(&path, weights, hasher))?;
        let path = root.join("head.safetensors");
        let head = head_digest_with(|hasher| write(&path, &self.head, hasher))?;
        let write_fallback = |weights: &Weights| {
            head_digest_with(|hasher| write(&root.join(FALLBACK), weights, hasher))
        };
        let fallback = self.fallback.as_ref().map(write_fallback).transpose()?;
        let manifest = Manifest {
            format: BUNDLE_FORMAT,
            name: self.name.clone(),
            expected_length: self.expected_length,
            further_lengths: self.further_lengths.clone(),
            digests: BundleDigests { dnabert, esm2, head, fallback },
            provenance: self.provenance.clone(),
            licence: self.licence.clone(),
        };
        write_bytes(&root.join("bundle.json"), &config_json("bundle.json", &manifest)?)?;
        for directory in ["esm2", "dnabert", ""] {
            sync_directory(&root.join(directory))?;
        }
        Ok(())
    }
}

fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    use std::io::Write;
    let mut file = fs_err::File::create(path)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

/// Makes the names in a directory durable, where the system can.
fn sync_directory(directory: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        fs_err::File::open(directory)?.sync_all()?;
    }
    Ok(())
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
        assert_eq!(bundle.esm2_config(), &writer.esm2.config);
        assert_eq!(bundle.dnabert_config(), &writer.dnabert.config);
        let names = |weights: &Weights| -> Vec<String> {
            weights.infos().map(|(name, info)| format!("{name} {info:?}")).collect()
        };
        assert_eq!(names(&bundle.esm2.weights), names(&writer.esm2.weights));
        // Nothing is left beside it.
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
        let select = |prefix: &str, copies: bool| {
            let (config, tensors) = random_esm2(1, prefix, copies);
            Esm2Files { weights: esm2::select(&config, Arc::new(tensors)).unwrap(), config }
        };
        let reference = random_writer(1);
        let digest = |esm2: &Esm2Files| {
            BundleDigests::compute(esm2, &reference.dnabert, &reference.head, None).unwrap().esm2
        };
        let plain = digest(&select("", false));
        assert_eq!(digest(&select("esm.", false)), plain);
        assert_eq!(digest(&select("esm.", true)), plain);
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
