//! Reading the ids and tensors of a checkpoint for the checks of their values.

use std::collections::BTreeMap;

use vnp_ckpt::{Checkpoint, CheckpointFile, Encoding, Error};

/// The properties of ids and tensors that the checks use.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) ids: usize,
    /// By tensor: the index of its first element that is not finite.
    pub(super) non_finite: BTreeMap<String, usize>,
    /// Only if it was loaded.
    pub(super) checkpoint: Option<Checkpoint>,
}

/// Reads ids and tensors once, in bounded memory.
pub(super) fn scan(file: &mut CheckpointFile) -> Result<Contents, Error> {
    let mut contents = Contents::default();
    let mut seen = BTreeMap::<String, usize>::new();
    let ids = file.scan(|section, bytes| {
        let Encoding::Tensor { dtype, .. } = &section.encoding else { return };
        let before = seen.entry(section.name.clone()).or_default();
        if let Some(index) = dtype.first_non_finite(bytes) {
            contents.non_finite.entry(section.name.clone()).or_insert(*before + index);
        }
        *before += bytes.len() / dtype.size_bytes();
    })?;
    contents.ids = ids.len();
    Ok(contents)
}

/// Loads the whole checkpoint.
pub(super) fn load(file: CheckpointFile) -> Result<Contents, Error> {
    let checkpoint = file.load()?;
    let non_finite = checkpoint
        .tensors()
        .filter_map(|(name, tensor)| Some((name.to_owned(), tensor.first_non_finite()?)));
    Ok(Contents {
        ids: checkpoint.ids().len(),
        non_finite: non_finite.collect(),
        checkpoint: Some(checkpoint),
    })
}
