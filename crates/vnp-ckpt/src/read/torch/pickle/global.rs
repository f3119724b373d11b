//! The classes and functions that a checkpoint may name.

use crate::read::torch::pickle::names::{self, TypeName};
use crate::tensor::dtype::Dtype;

/// The meaning of a name. None is ever called: each is a tag that decides how to interpret the values
/// next to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    /// `torch._utils._rebuild_tensor_v2`
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch.FloatStorage` and its like.
    Storage(Dtype),
    /// `collections.OrderedDict`
    OrderedDict,
    /// `set`
    Set,
    /// `_codecs.encode`: how bytes are pickled by protocol 2.
    Encode,
    /// `numpy.core.multiarray._reconstruct`
    Reconstruct,
    /// `numpy.ndarray`
    Array,
    /// `numpy.dtype`
    ArrayType,
    /// A module of a network, whose parameters are searched for.
    Module,
    /// `argparse.Namespace`
    Namespace,
    /// `numpy.core.multiarray.scalar`
    Scalar,
    /// `torch.Size`
    Size,
    /// `torch.device`
    Device,
    /// `torch.serialization._get_layout`
    Layout,
    /// `collections.Counter`
    Counter,
    /// `collections.defaultdict`
    DefaultDict,
    /// A path of `pathlib`, by the rules of Windows or of all other systems.
    Path {
        /// Whether `\` separates its parts.
        windows: bool,
    },
    /// The full name of what has no contents: an element type of PyTorch or numpy.
    Name(TypeName),
    /// A type of Python that fills gaps in a `defaultdict`.
    PlainType,
}

impl Global {
    /// The one of this name, if there is one.
    pub(crate) fn find(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "Size") => Self::Size,
            ("torch", "device") => Self::Device,
            ("torch.serialization", "_get_layout") => Self::Layout,
            ("torch", name) => match storage_type(name) {
                Some(dtype) => Self::Storage(dtype),
                None => Self::Name(TypeName::find("torch", name)?),
            },
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("collections", "Counter") => Self::Counter,
            ("collections", "defaultdict") => Self::DefaultDict,
            ("__builtin__" | "builtins", "set") => Self::Set,
            ("__builtin__" | "builtins", name) if names::is_plain_type(name) => Self::PlainType,
            ("_codecs", "encode") => Self::Encode,
            (
                "numpy.core.multiarray" | "numpy._core.multiarray" | "numpy.multiarray",
                "_reconstruct",
            ) => Self::Reconstruct,
            ("numpy.core.multiarray" | "numpy._core.multiarray" | "numpy.multiarray", "scalar") => {
                Self::Scalar
            }
            ("numpy", "ndarray") => Self::Array,
            ("numpy", "dtype") => Self::ArrayType,
            ("numpy", name) => Self::Name(TypeName::find("numpy", name)?),
            // Python 3.13 moved them.
            ("pathlib" | "pathlib._local", "PosixPath" | "PurePosixPath") => {
                Self::Path { windows: false }
            }
            ("pathlib" | "pathlib._local", "WindowsPath" | "PureWindowsPath") => {
                Self::Path { windows: true }
            }
            ("__main__", "MLPClassifier")
            | ("torch.nn.modules.linear", "Linear")
            | ("torch.nn.modules.batchnorm", "BatchNorm1d")
            | ("torch.nn.modules.dropout", "Dropout")
            | ("torch.nn.modules.activation", "ReLU") => Self::Module,
            ("argparse", "Namespace") => Self::Namespace,
            _ => return None,
        })
    }
}

fn storage_type(name: &str) -> Option<Dtype> {
    Some(match name {
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::Bf16,
        "DoubleStorage" => Dtype::F64,
        "LongStorage" => Dtype::I64,
        "IntStorage" => Dtype::I32,
        "ShortStorage" => Dtype::I16,
        "CharStorage" => Dtype::I8,
        "ByteStorage" => Dtype::U8,
        "BoolStorage" => Dtype::Bool,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(module: &str, name: &str, expected: Option<Global>) {
        assert_eq!(Global::find(module, name), expected, "{module}.{name}");
    }

    #[test]
    fn only_what_checkpoints_need() {
        check("torch", "FloatStorage", Some(Global::Storage(Dtype::F32)));
        check("torch", "CharStorage", Some(Global::Storage(Dtype::I8)));
        check("torch", "ComplexFloatStorage", None);
        check("torch", "load", None);
        check("torch", "", None);
        check("numpy._core.multiarray", "_reconstruct", Some(Global::Reconstruct));
        check("numpy.core.multiarray", "scalar", Some(Global::Scalar));
        check("numpy", "float32", TypeName::find("numpy", "float32").map(Global::Name));
        check("numpy", "load", None);
        check("torch", "Size", Some(Global::Size));
        check("torch", "bfloat16", TypeName::find("torch", "bfloat16").map(Global::Name));
        check("torch.float32", "", None);
        check("collections", "deque", None);
        check("pathlib", "PosixPath", Some(Global::Path { windows: false }));
        check("pathlib._local", "WindowsPath", Some(Global::Path { windows: true }));
        check("builtins", "int", Some(Global::PlainType));
        check("builtins", "compile", None);
        check("datetime", "datetime", None);
        check("__builtin__", "set", Some(Global::Set));
        check("__builtin__", "eval", None);
        check("builtins", "getattr", None);
        check("os", "system", None);
        check("posix", "system", None);
        check("__main__", "MLPClassifier", Some(Global::Module));
        check("__main__", "Other", None);
        check("torch.nn.modules.container", "Sequential", None);
    }
}
