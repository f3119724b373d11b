//! Names in a pickle that stand for themselves: element types, which are recorded as texts.

/// The full name of an element type or a memory format of PyTorch, or of an element type of numpy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeName(u8);

const NAMES: [&str; 47] = [
    "torch.float16",
    "torch.float32",
    "torch.float64",
    "torch.bfloat16",
    "torch.float8_e5m2",
    "torch.float8_e4m3fn",
    "torch.float8_e5m2fnuz",
    "torch.float8_e4m3fnuz",
    "torch.float8_e8m0fnu",
    "torch.int8",
    "torch.int16",
    "torch.int32",
    "torch.int64",
    "torch.uint8",
    "torch.uint16",
    "torch.uint32",
    "torch.uint64",
    "torch.bool",
    "torch.complex32",
    "torch.complex64",
    "torch.complex128",
    "torch.qint8",
    "torch.quint8",
    "torch.qint32",
    "torch.quint4x2",
    "torch.quint2x4",
    "torch.contiguous_format",
    "torch.preserve_format",
    "torch.channels_last",
    "torch.channels_last_3d",
    "numpy.float16",
    "numpy.float32",
    "numpy.float64",
    "numpy.int8",
    "numpy.int16",
    "numpy.int32",
    "numpy.int64",
    "numpy.uint8",
    "numpy.uint16",
    "numpy.uint32",
    "numpy.uint64",
    "numpy.bool",
    "numpy.bool_",
    "numpy.complex64",
    "numpy.complex128",
    "numpy.str_",
    "numpy.bytes_",
];

impl TypeName {
    /// The one of this name in this module, `torch` or `numpy`.
    pub(crate) fn find(module: &str, name: &str) -> Option<Self> {
        let is_it = |full: &&str| {
            full.strip_prefix(module).and_then(|rest| rest.strip_prefix('.')) == Some(name)
        };
        let index = NAMES.iter().position(is_it)?;
        u8::try_from(index).ok().map(Self)
    }

    /// The full name.
    pub(crate) fn text(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

/// Whether it is a type of Python that makes an empty value: of a `defaultdict` it is not kept.
pub(super) fn is_plain_type(name: &str) -> bool {
    // `unicode` and `long` are `str` and `int` in pickles of protocol 2.
    const TYPES: [&str; 9] =
        ["int", "long", "float", "bool", "str", "unicode", "list", "dict", "tuple"];
    TYPES.contains(&name)
}
