//! Free values of a header: the types that MessagePack and JSON share, and bytes.

use std::collections::BTreeMap;

pub(crate) mod codec;
#[cfg(feature = "safetensors")]
pub(crate) mod json;

/// How deep the lists and maps of a header may be nested, the header itself included.
pub(crate) const MAX_DEPTH: usize = 32;

/// A value of a checkpoint's metadata. Floats are equal when their bits are.
///
/// ```
/// use vnp_ckpt::Value;
///
/// let value = Value::from(vec![Value::from(500), Value::from("bp")]);
/// assert_eq!(value.as_list().and_then(|list| list[0].as_int()), Some(500));
/// ```
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer; the format knows none outside of 64 signed bits.
    Int(i64),
    /// A number, kept bit for bit.
    Float(f64),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// The boolean, if it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The integer, if it is one.
    #[must_use]
    pub const fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// The integer as a count, if it is one and not negative.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_int().and_then(|value| u64::try_from(value).ok())
    }

    /// The number, if it is a [`Value::Float`].
    #[must_use]
    pub const fn as_float(&self) -> Option<f64> {
        if let Self::Float(value) = self { Some(*value) } else { None }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// The bytes, if they are some.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(value) = self { Some(value) } else { None }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        if let Self::Map(value) = self { Some(value) } else { None }
    }

    /// The name of its type, for messages.
    pub(crate) const fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::String(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Whether lists and maps are nested at most `levels` deep; goes no deeper to find out.
    pub(crate) fn fits_depth(&self, levels: usize) -> bool {
        match self {
            Self::List(list) => levels > 0 && list.iter().all(|value| value.fits_depth(levels - 1)),
            Self::Map(map) => levels > 0 && map.values().all(|value| value.fits_depth(levels - 1)),
            _ => true,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(own), Self::Bool(other)) => own == other,
            (Self::Int(own), Self::Int(other)) => own == other,
            (Self::Float(own), Self::Float(other)) => own.to_bits() == other.to_bits(),
            (Self::String(own), Self::String(other)) => own == other,
            (Self::Bytes(own), Self::Bytes(other)) => own == other,
            (Self::List(own), Self::List(other)) => own == other,
            (Self::Map(own), Self::Map(other)) => own == other,
            _ => false,
        }
    }
}

impl Eq for Value {}

/// `impl From<$source> for Value`, by the variant that holds it.
macro_rules! value_from {
    ($($source:ty => $variant:ident),* $(,)?) => {$(
        impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

value_from! {
    bool => Bool,
    i32 => Int,
    u32 => Int,
    i64 => Int,
    f32 => Float,
    f64 => Float,
    &str => String,
    String => String,
    Vec<u8> => Bytes,
    Vec<Value> => List,
    BTreeMap<String, Value> => Map,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Null, |inner, _| Value::List(vec![inner]))
    }

    #[test]
    fn depth_counts_lists_and_maps() {
        assert!(nested(0).fits_depth(0));
        assert!(nested(1).fits_depth(1) && !nested(1).fits_depth(0));
        assert!(nested(9).fits_depth(9) && !nested(9).fits_depth(8));
        let map = Value::Map(BTreeMap::from([("k".to_owned(), nested(2))]));
        assert!(map.fits_depth(3) && !map.fits_depth(2));
    }
}
