//! What the embeddings of records depend on.

use std::collections::BTreeMap;

use vnp_ckpt::Value;
use vnp_job::parts::{PartIdentity, Stage};

use super::options::{EncoderInfo, RecordReading, UnknownResidues};

/// What the rows depend on: parts and outputs of the same identity may be reused.
#[derive(Clone, Debug)]
pub(super) struct EmbedIdentity {
    fields: BTreeMap<String, Value>,
}

impl EmbedIdentity {
    /// `input` is the digest of the records as they are embedded.
    pub(super) fn new(input: &str, encoder: &EncoderInfo, reading: RecordReading) -> Self {
        let EncoderInfo { name, digest, precision, hidden_size: _ } = encoder;
        let mut fields = BTreeMap::new();
        let mut set = |field: &str, value: &str| {
            fields.insert(field.to_owned(), Value::String(value.to_owned()));
        };
        set("input", input);
        set("encoder", name);
        set("weights", digest);
        set("precision", precision);
        match reading {
            RecordReading::Nucleotides => {}
            RecordReading::Proteins(UnknownResidues::Refuse) => set("unknown_residues", "refuse"),
            RecordReading::Proteins(UnknownResidues::Mask) => set("unknown_residues", "mask"),
        }
        Self { fields }
    }

    /// The fields as metadata records them.
    pub(super) fn fields(&self) -> &BTreeMap<String, Value> {
        &self.fields
    }
}

impl PartIdentity for EmbedIdentity {
    /// The same for either stage, so that parts of the other encoder differ in `encoder`.
    fn of_stage(&self, _: Stage) -> BTreeMap<String, Value> {
        self.fields.clone()
    }
}
