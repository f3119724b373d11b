//! The encoders of a head that comes without any.

use super::Encoder;
use crate::error::Error;

/// An encoder of a known width that cannot embed anything: a head alone can score embeddings that
/// were computed before.
pub(crate) struct Absent {
    pub(crate) name: &'static str,
    pub(crate) hidden_size: usize,
}

impl Encoder for Absent {
    fn name(&self) -> &str {
        self.name
    }

    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, Error> {
        if sequences.is_empty() {
            return Ok(Vec::new());
        }
        Err(Error::NoEncoder { name: self.name, sequences: sequences.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_missing() {
        let absent = Absent { name: "esm2", hidden_size: 7 };
        assert!(absent.embed(&[]).unwrap().is_empty());
        let Err(Error::NoEncoder { name: "esm2", sequences: 2 }) = absent.embed(&["MK", "V"])
        else {
            panic!("nothing embedded two sequences")
        };
    }
}
