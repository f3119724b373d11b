//! Values to and from MessagePack, and from JSON.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{MAX_DEPTH, Value};
use crate::budget::Budget;
use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};

/// Why bytes are not one map of values.
pub(crate) enum DecodeFault {
    /// The decoder's message.
    Malformed(String),
    /// A limit was passed.
    Limit(ErrorKind),
}

/// Reads one map that fills `bytes` exactly.
pub(crate) fn decode_map(
    mut bytes: &[u8],
    limits: &Limits,
    budget: &Budget,
) -> Result<BTreeMap<String, Value>, DecodeFault> {
    let taken = Taken::new(limits, budget);
    let mut decoder = rmp_serde::Deserializer::new(&mut bytes);
    // The decoder refuses the level at which its counter reaches zero.
    decoder.set_max_depth(MAX_DEPTH + 1);
    let value = Seed(&taken).deserialize(&mut decoder);
    let value = taken.settle(value)?;
    if !bytes.is_empty() {
        return Err(DecodeFault::Malformed(format!("{} bytes after the map", bytes.len())));
    }
    match value {
        Value::Map(map) => Ok(map),
        other => Err(DecodeFault::Malformed(other.noun().to_owned())),
    }
}

/// Reads one value that fills `text`, in JSON; the decoder refuses more than 128 levels.
#[cfg(feature = "safetensors")]
pub(crate) fn decode_json(
    text: &[u8],
    limits: &Limits,
    budget: &Budget,
) -> Result<Value, DecodeFault> {
    let taken = Taken::new(limits, budget);
    let mut decoder = serde_json::Deserializer::from_slice(text);
    let value = Seed(&taken).deserialize(&mut decoder);
    taken.settle(value.and_then(|value| decoder.end().map(|()| value)))
}

impl DecodeFault {
    /// The error of the header field that the bytes are in.
    pub(crate) fn in_field(self, field: &str, expected: &str) -> ErrorKind {
        match self {
            Self::Malformed(found) => ErrorKind::bad_header(field, expected, found),
            Self::Limit(kind) => kind,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::String(value) => serializer.serialize_str(value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::List(value) => serializer.collect_seq(value),
            Self::Map(value) => serializer.collect_map(value),
        }
    }
}

/// How many more values a header may have, its budget, and the limit that was passed.
struct Taken<'b> {
    allowed: u64,
    count: Cell<u64>,
    budget: &'b Budget,
    passed: RefCell<Option<ErrorKind>>,
}

impl<'b> Taken<'b> {
    fn new(limits: &Limits, budget: &'b Budget) -> Self {
        let (allowed, passed) = (limits.header_values, RefCell::new(None));
        Self { allowed, count: Cell::new(0), budget, passed }
    }

    /// Counts one more value.
    fn value<E: de::Error>(&self) -> Result<(), E> {
        self.count.set(self.count.get().saturating_add(1));
        let counted = limits::check("header_values", self.allowed, self.count.get());
        self.note(counted)
    }

    /// The decoder has an error type of its own: ours is kept aside.
    fn note<E: de::Error>(&self, charged: Result<(), ErrorKind>) -> Result<(), E> {
        charged.map_err(|kind| {
            self.passed.replace(Some(kind));
            E::custom("more than the limits allow")
        })
    }

    /// The decoder's result; a passed limit is an error of its own.
    fn settle<E: fmt::Display>(self, value: Result<Value, E>) -> Result<Value, DecodeFault> {
        if let Some(kind) = self.passed.into_inner() {
            return Err(DecodeFault::Limit(kind));
        }
        value.map_err(|error| DecodeFault::Malformed(error.to_string()))
    }
}

/// Reads a value, charged before it is built, as is each value in it.
#[derive(Clone, Copy)]
struct Seed<'s, 'b>(&'s Taken<'b>);

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, decoder: D) -> Result<Value, D::Error> {
        self.0.value()?;
        decoder.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nil, a boolean, a number of 64 signed bits, a text, bytes, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Int)
            .map_err(|_| E::custom(format_args!("{value} does not fit 64 signed bits")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.0.note(self.0.budget.text(value.len()))?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_bytes<E: de::Error>(self, value: &[u8]) -> Result<Value, E> {
        self.0.note(self.0.budget.text(value.len()))?;
        Ok(Value::Bytes(value.to_owned()))
    }

    // No capacity is taken from a declared length: every element costs a byte of the header.
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            self.0.note(self.0.budget.values(1))?;
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = access.next_key_seed(KeySeed(self.0))? {
            self.0.note(self.0.budget.entry(map.len()))?;
            let value = access.next_value_seed(self)?;
            if map.contains_key(&key) {
                let key = start_of(&key);
                return Err(de::Error::custom(format_args!("the key `{key}` is there twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Map(map))
    }
}

/// The start of a key, for messages.
fn start_of(key: &str) -> &str {
    key.char_indices().nth(60).and_then(|(end, _)| key.get(..end)).unwrap_or(key)
}

/// Reads the key of a map: a text and nothing else.
struct KeySeed<'s, 'b>(&'s Taken<'b>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_, '_> {
    type Value = String;

    fn deserialize<D: de::Deserializer<'de>>(self, decoder: D) -> Result<String, D::Error> {
        decoder.deserialize_any(self)
    }
}

impl Visitor<'_> for KeySeed<'_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text as key")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<String, E> {
        self.0.note(self.0.budget.text(value.len()))?;
        Ok(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_map(bytes: &[u8], limits: &Limits) -> Result<BTreeMap<String, Value>, DecodeFault> {
        super::decode_map(bytes, limits, &Budget::new(limits, bytes.len() as u64))
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: Value) {
        let Ok(map) = decode_map(bytes, &Limits::default()) else { panic!("refused: {bytes:x?}") };
        assert_eq!(Value::Map(map), expected);
    }

    #[track_caller]
    fn check_malformed(bytes: &[u8], reason: &str) {
        let Err(DecodeFault::Malformed(found)) = decode_map(bytes, &Limits::default()) else {
            panic!("accepted: {bytes:x?}")
        };
        assert!(found.contains(reason), "{found}");
    }

    fn map(key: &str, value: Value) -> Value {
        Value::Map(BTreeMap::from([(key.to_owned(), value)]))
    }

    #[test]
    fn every_kind_of_value() {
        check(b"\x80", Value::Map(BTreeMap::new()));
        check(b"\x81\xa1k\xc0", map("k", Value::Null));
        check(b"\x81\xa1k\xc3", map("k", Value::Bool(true)));
        check(b"\x81\xa1k\xff", map("k", Value::Int(-1)));
        check(b"\x81\xa1k\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", map("k", Value::Int(i64::MAX)));
        check(b"\x81\xa1k\xd3\x80\0\0\0\0\0\0\0", map("k", Value::Int(i64::MIN)));
        check(b"\x81\xa1k\xca\x3f\x80\0\0", map("k", Value::Float(1.0)));
        check(b"\x81\xa1k\xa2hi", map("k", Value::String("hi".into())));
        check(b"\x81\xa1k\xc4\x02hi", map("k", Value::Bytes(b"hi".to_vec())));
        check(b"\x81\xa1k\x92\x01\x02", map("k", vec![Value::Int(1), Value::Int(2)].into()));
    }

    #[test]
    fn everything_else_is_malformed() {
        check_malformed(b"", "");
        check_malformed(b"\x01", "an integer");
        check_malformed(b"\x80\x00", "1 bytes after the map");
        check_malformed(b"\x82\xa1k\x01\xa1k\x02", "`k` is there twice");
        check_malformed(b"\x81\x01\x02", "a text as key");
        check_malformed(b"\x81\xc4\x01k\x02", "a text as key");
        check_malformed(b"\x81\xa1k\xcf\x80\0\0\0\0\0\0\0", "does not fit");
        check_malformed(b"\x81\xa1k\xd4\x01\x02", "");
        check_malformed(b"\x81\xa1k\xc1", "");
        check_malformed(b"\x81\xa1k\xdb\xff\xff\xff\xffabc", "");
        check_malformed(b"\x81\xa1k\xdd\xff\xff\xff\xff\x01", "");
        check_malformed(b"\xdf\xff\xff\xff\xff\xa1k\x01", "");
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| [b"\x81\xa1k", &*vec![0x91; levels], b"\xc0"].concat();
        assert!(decode_map(&nested(MAX_DEPTH - 1), &Limits::default()).is_ok());
        check_malformed(&nested(MAX_DEPTH), "depth");
        check_malformed(&nested(1_000_000), "depth");
    }

    #[test]
    fn values_are_counted() {
        let limits = Limits { header_values: 4, ..Limits::default() };
        assert!(decode_map(b"\x81\xa1k\x92\x01\x02", &limits).is_ok());
        let Err(DecodeFault::Limit(ErrorKind::LimitExceeded { limit: "header_values", .. })) =
            decode_map(b"\x81\xa1k\x93\x01\x02\x03", &limits)
        else {
            panic!("five values of four were read")
        };
    }

    #[test]
    fn floats_keep_their_bits() {
        let value = map("k", Value::Float(f64::from_bits(0x7ff8_dead_beef_0001)));
        let bytes = rmp_serde::to_vec(&value).unwrap();
        let Ok(read) = decode_map(&bytes, &Limits::default()) else { panic!("refused") };
        assert_eq!(read["k"].as_float().unwrap().to_bits(), 0x7ff8_dead_beef_0001);
    }
}
