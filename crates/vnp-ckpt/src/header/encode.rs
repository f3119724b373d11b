//! A header to MessagePack: maps with named fields, known ones first.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Encoding, Header, Section};
use crate::digest::Digest;
use crate::version::CHECKPOINT_VERSION;

impl Header {
    /// The header's bytes.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, rmp_serde::encode::Error> {
        rmp_serde::to_vec(self)
    }
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(8 + self.unknown.len()))?;
        map.serialize_entry("version", CHECKPOINT_VERSION)?;
        map.serialize_entry("status", self.status.name())?;
        map.serialize_entry("kind", &self.kind)?;
        map.serialize_entry("rows", &[self.rows.start, self.rows.end])?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("producer", &WiredProducer(self))?;
        map.serialize_entry("sections", &self.sections)?;
        map.serialize_entry("metadata", &self.metadata)?;
        self.unknown.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
        map.end()
    }
}

struct WiredProducer<'h>(&'h Header);

impl Serialize for WiredProducer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Header { producer, producer_unknown, .. } = self.0;
        let mut map = serializer.serialize_map(Some(2 + producer_unknown.len()))?;
        map.serialize_entry("name", &producer.name)?;
        map.serialize_entry("version", &producer.version)?;
        producer_unknown.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
        map.end()
    }
}

impl Serialize for Section {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let own = match self.encoding {
            Encoding::Strings { .. } => 6,
            Encoding::Tensor { .. } => 8,
        };
        let mut map = serializer.serialize_map(Some(own + self.unknown.len()))?;
        map.serialize_entry("name", &self.name)?;
        match &self.encoding {
            Encoding::Strings { count } => {
                map.serialize_entry("encoding", "strings")?;
                map.serialize_entry("count", count)?;
            }
            Encoding::Tensor { dtype, shape, per_row } => {
                map.serialize_entry("encoding", "tensor")?;
                map.serialize_entry("dtype", dtype.name())?;
                map.serialize_entry("shape", shape)?;
                map.serialize_entry("per_row", per_row)?;
            }
        }
        map.serialize_entry("offset", &self.offset)?;
        map.serialize_entry("length", &self.length)?;
        map.serialize_entry("digest", &self.digest)?;
        self.unknown.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
        map.end()
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.as_bytes())
    }
}
