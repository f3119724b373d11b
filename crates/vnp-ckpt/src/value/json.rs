//! Values to and from JSON, without loss: values that JSON cannot express become objects of one key.
//!
//! `{"$float": "7ff8000000000000"}` is a float that is not finite, by its bits; `{"$bytes": "00ff"}`
//! is bytes; `{"$map": {...}}` is a map that would otherwise look like one of the three.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Value;
use super::codec::{DecodeFault, decode_json};
use crate::budget::Budget;
use crate::limits::Limits;

const FLOAT: &str = "$float";
const BYTES: &str = "$bytes";
const MAP: &str = "$map";

/// The JSON of a value.
pub(crate) struct Json<'v>(pub(crate) &'v Value);

impl Json<'_> {
    /// The text.
    pub(crate) fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Float(number) if !number.is_finite() => {
                tagged(serializer, FLOAT, &format!("{:016x}", number.to_bits()))
            }
            Value::Bytes(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                tagged(serializer, BYTES, &hex)
            }
            Value::List(list) => serializer.collect_seq(list.iter().map(Json)),
            Value::Map(map) => {
                let entries = map.iter().map(|(key, value)| (key, Json(value)));
                match map.keys().next() {
                    Some(key) if map.len() == 1 && key.starts_with('$') => {
                        let inner: BTreeMap<_, _> = entries.collect();
                        tagged(serializer, MAP, &inner)
                    }
                    _ => serializer.collect_map(entries),
                }
            }
            plain => plain.serialize(serializer),
        }
    }
}

/// Reads one value that fills `text`.
pub(crate) fn from_json(
    text: &[u8],
    limits: &Limits,
    budget: &Budget,
) -> Result<Value, DecodeFault> {
    untagged(decode_json(text, limits, budget)?)
}

fn tagged<S: Serializer>(
    serializer: S,
    tag: &str,
    value: &(impl Serialize + ?Sized),
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, value)?;
    map.end()
}

/// Takes the tags off; as deep as the decoder let the value be.
fn untagged(value: Value) -> Result<Value, DecodeFault> {
    match value {
        Value::List(list) => {
            list.into_iter().map(untagged).collect::<Result<_, _>>().map(Value::List)
        }
        Value::Map(mut map) => {
            let tag = match map.first_key_value() {
                Some((key, _)) if map.len() == 1 && key.starts_with('$') => key.clone(),
                _ => return untagged_entries(map),
            };
            let bad =
                |expected: &str| DecodeFault::Malformed(format!("`{tag}` that is not {expected}"));
            match (tag.as_str(), map.remove(&tag)) {
                (FLOAT, Some(Value::String(hex))) => {
                    let bytes = bytes_of(&hex).and_then(|bytes| bytes.try_into().ok());
                    let bytes = bytes.ok_or_else(|| bad("16 hexadecimal digits"))?;
                    Ok(Value::Float(f64::from_bits(u64::from_be_bytes(bytes))))
                }
                (BYTES, Some(Value::String(hex))) => {
                    bytes_of(&hex).map(Value::Bytes).ok_or_else(|| bad("hexadecimal"))
                }
                (MAP, Some(Value::Map(inner))) => untagged_entries(inner),
                _ => Err(bad("one of this format")),
            }
        }
        plain => Ok(plain),
    }
}

fn untagged_entries(map: BTreeMap<String, Value>) -> Result<Value, DecodeFault> {
    let entries = map.into_iter().map(|(key, value)| Ok((key, untagged(value)?)));
    entries.collect::<Result<_, _>>().map(Value::Map)
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            &[high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_json(text: &[u8], limits: &Limits) -> Result<Value, DecodeFault> {
        super::from_json(text, limits, &Budget::new(limits, text.len() as u64))
    }

    #[track_caller]
    fn check(value: impl Into<Value>, expected: &str) {
        let value = value.into();
        let text = Json(&value).text().unwrap();
        assert_eq!(text, expected);
        let Ok(read) = from_json(text.as_bytes(), &Limits::default()) else { panic!("{text}") };
        assert_eq!(read, value, "{text}");
    }

    fn map(key: &str, value: impl Into<Value>) -> Value {
        Value::Map([(key.to_owned(), value.into())].into())
    }

    #[test]
    fn everything_comes_back() {
        check(Value::Null, "null");
        check(true, "true");
        check(i64::MIN, "-9223372036854775808");
        check(i64::MAX, "9223372036854775807");
        check(0.1, "0.1");
        check(1.0, "1.0");
        check(-0.0, "-0.0");
        check(5e-324, "5e-324");
        check(f64::MAX, "1.7976931348623157e+308");
        check(f64::INFINITY, r#"{"$float":"7ff0000000000000"}"#);
        check(f64::from_bits(0xfff8_0000_0000_1234), r#"{"$float":"fff8000000001234"}"#);
        check("\u{e9}\0\"\u{1f9ec}", r#""é\u0000\"🧬""#);
        check(vec![0_u8, 255, 16], r#"{"$bytes":"00ff10"}"#);
        check(Vec::<u8>::new(), r#"{"$bytes":""}"#);
        check(vec![Value::Null, 1.into()], "[null,1]");
        check(map("k", "v"), r#"{"k":"v"}"#);
        check(map("$bytes", "00"), r#"{"$map":{"$bytes":"00"}}"#);
        check(map("$", map("$map", 1)), r#"{"$map":{"$":{"$map":{"$map":1}}}}"#);
        check(Value::Map(Default::default()), "{}");
    }

    #[track_caller]
    fn check_malformed(text: &str) {
        let Err(DecodeFault::Malformed(_)) = from_json(text.as_bytes(), &Limits::default()) else {
            panic!("accepted: {text}")
        };
    }

    #[test]
    fn everything_else_is_malformed() {
        check_malformed("");
        check_malformed("1 2");
        check_malformed("{\"a\":1,\"a\":2}");
        check_malformed("9223372036854775808");
        check_malformed("1e999");
        check_malformed("NaN");
        check_malformed(r#"{"$float":"7ff8"}"#);
        check_malformed(r#"{"$float":"+ff8000000000000"}"#);
        check_malformed(r#"{"$float":1}"#);
        check_malformed(r#"{"$bytes":"0"}"#);
        check_malformed(r#"{"$bytes":"+1"}"#);
        check_malformed(r#"{"$map":1}"#);
        check_malformed(r#"{"$else":1}"#);
        check_malformed(&"[".repeat(1_000_000));
        check_malformed("\"\\ud800\"");
    }
}
