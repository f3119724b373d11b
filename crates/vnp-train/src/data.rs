//! Labelled data: records, groups of relatives, chunks, and the embeddings of their frames.

pub(crate) mod chunks;
pub(crate) mod class;
pub(crate) mod coding;
pub(crate) mod corpus;
pub(crate) mod embed;
pub(crate) mod embedded;
pub(crate) mod examples;
pub(crate) mod groups;
pub(crate) mod input;
pub(crate) mod kmers;
pub(crate) mod preparation;
pub(crate) mod prepare;
pub(crate) mod prepared;
pub(crate) mod record;
pub(crate) mod records;
pub(crate) mod sets;
pub(crate) mod shared_kmers;
pub(crate) mod shares;
