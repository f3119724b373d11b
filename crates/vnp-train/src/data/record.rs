//! A record with its label.

use crate::data::coding::Coding;

/// A record with its label and what is known of its relatives.
#[derive(Debug, Clone, Default)]
pub struct LabelledRecord {
    /// The id, unique among all records.
    pub id: String,
    /// Whether it is a virus.
    pub is_virus: bool,
    /// Names that it shares with its relatives: records with a name in common are one group.
    pub names: Vec<String>,
    /// The kind of organism, for reports and for the split, which spreads every kind; empty where
    /// unknown.
    pub kind: String,
    /// The sequence, upper case, with U as T.
    pub sequence: Vec<u8>,
    /// The proteins that its annotation states; `None` where ORFs are accepted without annotation.
    pub coding: Option<Coding>,
}
