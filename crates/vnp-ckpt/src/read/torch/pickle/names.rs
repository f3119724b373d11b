//! Names in a pickle that stand for themselves: element types, which are recorded as texts.

/// Declares a function that returns the full name of one of these names of a module.
macro_rules! names {
    ($(#[$doc:meta])* $function:ident in $module:literal: $($name:literal)*) => {
        $(#[$doc])*
        pub(super) fn $function(name: &str) -> Option<&'static str> {
            Some(match name {
                $($name => concat!($module, ".", $name),)*
                _ => return None,
            })
        }
    };
}

names! {
    /// An element type or a memory format of PyTorch.
    torch in "torch":
    "float16" "float32" "float64" "bfloat16" "float8_e5m2" "float8_e4m3fn" "float8_e5m2fnuz"
    "float8_e4m3fnuz" "float8_e8m0fnu" "int8" "int16" "int32" "int64" "uint8" "uint16" "uint32"
    "uint64" "bool" "complex32" "complex64" "complex128" "qint8" "quint8" "qint32" "quint4x2"
    "quint2x4" "contiguous_format" "preserve_format" "channels_last" "channels_last_3d"
}

names! {
    /// An element type of numpy.
    numpy in "numpy":
    "float16" "float32" "float64" "int8" "int16" "int32" "int64" "uint8" "uint16" "uint32"
    "uint64" "bool" "bool_" "complex64" "complex128" "str_" "bytes_"
}

/// Whether it is a type of Python that makes an empty value: of a `defaultdict` it is not kept.
pub(super) fn is_plain_type(name: &str) -> bool {
    // `unicode` and `long` are `str` and `int` in pickles of protocol 2.
    const TYPES: [&str; 9] =
        ["int", "long", "float", "bool", "str", "unicode", "list", "dict", "tuple"];
    TYPES.contains(&name)
}
