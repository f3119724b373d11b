//! Which part of a model a file holds, so that one given in place of another is named.

use super::TensorSource;
use super::wrappers::without_wrappers;
use crate::error::Error;
use crate::error::weights::WeightsError;

/// A part of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Head,
    Esm2,
    Dnabert,
}

impl Part {
    const ALL: [Self; 3] = [Self::Head, Self::Esm2, Self::Dnabert];

    fn name(self) -> &'static str {
        match self {
            Self::Head => "a head",
            Self::Esm2 => "an ESM-2 encoder",
            Self::Dnabert => "a DNABERT encoder",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Head => "give it as --head (in `vnp predict` as -p)",
            Self::Esm2 => "give it as --esm2",
            Self::Dnabert => "give it as --dnabert",
        }
    }

    fn is_in(self, source: &dyn TensorSource) -> bool {
        let names: Vec<String> = source.names().into_iter().map(without_wrappers).collect();
        let has = |part: &str| names.iter().any(|name| name.contains(part));
        match self {
            Self::Head => names.iter().any(|name| name.ends_with("hidden_layer.weight")),
            Self::Dnabert => has("embeddings.word_embeddings.") && has(".attention.self.Wqkv."),
            // Other networks of this form know types of tokens.
            Self::Esm2 => {
                let transformers = has("embeddings.word_embeddings.")
                    && has(".attention.self.query.")
                    && !has("token_type_embeddings");
                transformers || has("embed_tokens.weight")
            }
        }
    }

    /// Refuses a file that holds another part and not this one, or no weights but results of a run.
    ///
    /// # Errors
    /// [`WeightsError::OtherWeights`].
    pub(crate) fn check(self, source: &dyn TensorSource) -> Result<(), Error> {
        if self.is_in(source) {
            return Ok(());
        }
        let other = Self::ALL.into_iter().find(|part| part.is_in(source));
        let (found, remedy) = match (other, source.other_kind()) {
            (Some(other), _) => (other.name().to_owned(), other.remedy()),
            (None, Some(kind)) => {
                (format!("a checkpoint of kind {kind}"), "give a file of weights")
            }
            (None, None) => return Ok(()),
        };
        let (file, expected) = (source.label().to_owned(), self.name());
        Err(WeightsError::OtherWeights { file, found, expected, remedy }.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::fixture;
    use crate::weights::open::open;

    #[test]
    fn each_part_is_known_by_its_names() {
        let check = |path: &str, expected: Part| {
            let source: Arc<dyn TensorSource> = open(&fixture(path)).unwrap();
            for part in Part::ALL {
                match part.check(source.as_ref()) {
                    Ok(()) => assert_eq!(part, expected, "{path}"),
                    Err(error) => {
                        let (error, said) = (error.to_string(), expected.remedy());
                        assert!(error.contains(&format!(
                            "is {}, not {}",
                            expected.name(),
                            part.name()
                        )));
                        assert!(part != expected && error.ends_with(said), "{error}");
                    }
                }
            }
        };
        check("torch/head.pth", Part::Head);
        check("torch/esm2_tiny.pt", Part::Esm2);
        check("parity/esm2/model.safetensors", Part::Esm2);
        check("parity/dnabert/model.safetensors", Part::Dnabert);
    }
}
