//! The sizes of a network from the shapes of its tensors, for weights without a `config.json`.

use crate::error::Error;
use crate::weights::TensorSource;

/// The shapes of a file's tensors, whose names may have a prefix.
pub(super) struct Shapes<'a> {
    pub(super) source: &'a dyn TensorSource,
    pub(super) prefix: &'static str,
}

impl Shapes<'_> {
    /// The shape of a matrix.
    pub(super) fn matrix(&self, name: &str) -> Result<[usize; 2], Error> {
        let info = self.source.info(name);
        let info = info.or_else(|| self.source.info(&format!("{}{name}", self.prefix)));
        let shape = info.and_then(|info| info.shape.as_slice().try_into().ok());
        shape.ok_or_else(|| self.source.missing(name))
    }

    /// One more than the highest number of a layer: a gap is found when tensors are selected.
    pub(super) fn layers(&self) -> usize {
        let number = |name: &str| {
            let name = name.strip_prefix(self.prefix).unwrap_or(name);
            name.strip_prefix("encoder.layer.")?.split_once('.')?.0.parse::<usize>().ok()
        };
        let last = self.source.names().into_iter().filter_map(number).max();
        last.map_or(0, |last| last.saturating_add(1))
    }

    /// The error of a file whose number of attention heads cannot be inferred.
    pub(super) fn heads_unknown(&self) -> Error {
        Error::Config {
            file: self.source.label().to_owned(),
            field: "num_attention_heads",
            expected: "a config.json next to the weights that states it".to_owned(),
            found: "unknown".to_owned(),
        }
    }
}

/// The number of heads of the published network with this hidden size.
pub(super) fn published_heads(table: &[(usize, usize)], hidden_size: usize) -> Option<usize> {
    table.iter().find(|(hidden, _)| *hidden == hidden_size).map(|(_, heads)| *heads)
}
