//! Values of a native header, and their MessagePack.

use std::collections::BTreeMap;

/// Values by name.
pub type Map = BTreeMap<String, Value>;

/// A value that a header may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nil.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float of 64 bits.
    Float(f64),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name.
    Map(Map),
}

impl Value {
    /// MessagePack, without regard for the shortest form.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let counted = |op: u8, count: usize| [&[op], &(count as u32).to_be_bytes()[..]].concat();
        match self {
            Self::Bool(false) => vec![0xc2],
            Self::Bool(true) => vec![0xc3],
            Self::Int(value) => [&[0xd3], &value.to_be_bytes()[..]].concat(),
            Self::Float(value) => [&[0xcb], &value.to_be_bytes()[..]].concat(),
            Self::String(text) => [counted(0xdb, text.len()), text.clone().into_bytes()].concat(),
            Self::Bytes(bytes) => [counted(0xc6, bytes.len()), bytes.clone()].concat(),
            Self::List(list) => list
                .iter()
                .fold(counted(0xdd, list.len()), |out, value| [out, value.pack()].concat()),
            Self::Map(map) => map.iter().fold(counted(0xdf, map.len()), |out, (key, value)| {
                [out, Self::from(key.as_str()).pack(), value.pack()].concat()
            }),
            Self::Null => vec![0xc0],
        }
    }
}

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
    i64 => Int,
    &str => String,
    Vec<u8> => Bytes,
    Vec<Value> => List,
    Map => Map,
}
