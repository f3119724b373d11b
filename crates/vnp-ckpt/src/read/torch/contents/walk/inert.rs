//! Small values beside tensors, such as numpy scalars, devices and paths, as metadata.

use crate::error::kind::ErrorKind;
use crate::read::torch::contents::walk::Walk;
use crate::read::torch::numpy;
use crate::read::torch::pickle::global::Global;
use crate::read::torch::pickle::tree::{Item, Node};
use crate::value::Value;

impl Walk<'_, '_> {
    /// The number or text that such a value is recorded as; `None` for any other value.
    pub(super) fn inert(&mut self, item: Item) -> Result<Option<Value>, ErrorKind> {
        Ok(Some(match self.tree.node_of(item) {
            Some(&Node::Inert { class, arguments }) => {
                let arguments = self.tree.tuple(arguments).unwrap_or_default();
                match (class, arguments) {
                    (Global::Scalar, &[dtype, data]) => {
                        self.count_text(data)?;
                        numpy::scalar(self.tree, dtype, data)?
                    }
                    (Global::Device, &[kind]) => Value::String(self.text(kind)?),
                    (Global::Device, &[kind, Item::Int(index)]) => {
                        Value::String(format!("{}:{index}", self.text(kind)?))
                    }
                    (Global::Path { windows }, parts) => Value::String(self.path(parts, windows)?),
                    _ => return Ok(None),
                }
            }
            Some(Node::ArrayType { name, order: Some(order) }) => {
                let (name, order) = (*name, **order);
                Value::String(format!("{}{}", self.text(order)?, self.text(name)?))
            }
            _ => return Ok(None),
        }))
    }

    /// The parts of a path with separators between them; the first may be a root that ends in one.
    fn path(&mut self, parts: &[Item], windows: bool) -> Result<String, ErrorKind> {
        let separator = if windows { '\\' } else { '/' };
        let mut path = String::new();
        self.tree.budget.work(parts.len().saturating_mul(32))?;
        for &part in parts {
            // Counted before it is copied.
            let part = self.text(part)?;
            if !path.is_empty() && !path.ends_with(separator) {
                path.push(separator);
            }
            path.push_str(&part);
        }
        Ok(if path.is_empty() { ".".to_owned() } else { path })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vnp_forge::items::*;

    use super::*;
    use crate::limits::Limits;
    use crate::read::torch::forged::*;

    #[track_caller]
    fn check(value: Vec<u8>, expected: impl Into<Value>) {
        let read = load_value(&dict(&[("x", value)]), &[]).unwrap();
        let expected = BTreeMap::from([("x".to_owned(), expected.into())]);
        assert_eq!(read.metadata(), &expected);
    }

    fn dtype(name: &str, order: &str, size: i64) -> Vec<u8> {
        let made = call("numpy", "dtype", &[text(name), b"\x89".to_vec(), b"\x88".to_vec()]);
        let none = || b"N".to_vec();
        let state = [int(3), text(order), none(), none(), none(), int(size), int(size), int(0)];
        [made, tuple(&state), b"b".to_vec()].concat()
    }

    fn scalar(name: &str, order: &str, data: &[u8]) -> Vec<u8> {
        let data = [&[b'C', data.len() as u8], data].concat();
        call("numpy._core.multiarray", "scalar", &[dtype(name, order, -1), data])
    }

    #[test]
    fn numpy_scalars() {
        check(scalar("f8", "<", &0.5_f64.to_le_bytes()), Value::Float(0.5));
        check(scalar("f4", "<", &0.1_f32.to_le_bytes()), Value::Float(f64::from(0.1_f32)));
        check(scalar("f2", "<", &[0, 0x3c]), Value::Float(1.0));
        check(scalar("i8", "<", &(-5_i64).to_le_bytes()), Value::Int(-5));
        check(scalar("i4", "<", &(-5_i32).to_le_bytes()), Value::Int(-5));
        check(scalar("i2", "<", &(-5_i16).to_le_bytes()), Value::Int(-5));
        check(scalar("i1", "|", &[0xff]), Value::Int(-1));
        check(scalar("u1", "|", &[0xff]), Value::Int(255));
        check(scalar("u2", "<", &[0xff, 0xff]), Value::Int(65535));
        check(scalar("u4", "<", &[0xff; 4]), Value::Int(u32::MAX.into()));
        check(scalar("u8", "<", &7_u64.to_le_bytes()), Value::Int(7));
        check(scalar("b1", "|", &[1]), Value::Bool(true));
        check(scalar("U3", "<", b"a\0\0\0\xfc\0\0\0\0\0\0\0"), "a\u{fc}");
        check(scalar("S3", "|", b"a\xff\0"), Value::Bytes(vec![b'a', 0xff]));
        let latin1 = call("_codecs", "encode", &[text("\0\0\0\0\0\0\u{e0}?"), text("latin1")]);
        let old = call("numpy.core.multiarray", "scalar", &[dtype("f8", "<", -1), latin1]);
        check(old, Value::Float(0.5));
    }

    #[test]
    fn numpy_scalars_of_other_types() {
        let check = |name: &str, order: &str, data: &[u8]| match load_value(
            &scalar(name, order, data),
            &[],
        ) {
            Err(ErrorKind::Unsupported { what, .. }) => {
                assert_eq!(what, format!("a numpy scalar of `{order}{name}`"));
            }
            other => panic!("{name}: {other:?}"),
        };
        check("c16", "<", &[0; 16]);
        check("f8", ">", &[0; 8]);
        check("u8", "<", &[0xff; 8]);
        check("f8", "<", &[0; 7]);
        check("b1", "|", &[2]);
        check("U1", "<", &[0xff; 4]);
        check("U1", "<", &[0; 3]);
        check("O8", "|", &[]);
    }

    #[test]
    fn sizes_devices_types() {
        let [three, four] = [Value::Int(3), Value::Int(4)];
        check(call("torch", "Size", &[numbers(&[3, 4])]), vec![three, four]);
        check(call("torch", "device", &[text("cpu")]), "cpu");
        check(call("torch", "device", &[text("cuda"), int(1)]), "cuda:1");
        check(b"ctorch\nbfloat16\n".to_vec(), "torch.bfloat16");
        check(b"cnumpy\nfloat32\n".to_vec(), "numpy.float32");
        check(dtype("f4", "<", -1), "<f4");
        check(
            call("torch.serialization", "_get_layout", &[text("torch.strided")]),
            "torch.strided",
        );
    }

    #[test]
    fn paths() {
        let check = |class: &str, parts: &[&str], expected: &str| {
            let parts: Vec<_> = parts.iter().map(|part| text(part)).collect();
            check(call("pathlib", class, &parts), expected);
        };
        check("PosixPath", &["/", "home", "x y"], "/home/x y");
        check("PurePosixPath", &["a", "b"], "a/b");
        check("PosixPath", &[], ".");
        check("WindowsPath", &["C:\\", "a", "b"], "C:\\a\\b");
        check("PureWindowsPath", &["a"], "a");
    }

    #[test]
    fn counters_and_dicts_with_a_default() {
        let map = |key: &str, value: i64| {
            Value::Map(BTreeMap::from([(key.to_owned(), Value::Int(value))]))
        };
        let counts = [&b"}"[..], &int(30), &int(1), b"s"].concat();
        check(call("collections", "Counter", &[counts]), map("30", 1));
        let filled = |factory: &[u8]| {
            let made = call("collections", "defaultdict", &[factory.to_vec()]);
            [made, text("a"), int(2), b"s".to_vec()].concat()
        };
        check(filled(b"c__builtin__\nlong\n"), map("a", 2));
        check(filled(b"cbuiltins\nlist\n"), map("a", 2));
        check(filled(b"N"), map("a", 2));
    }

    #[test]
    fn keys_of_dicts() {
        let read = |key: Vec<u8>| {
            let read = load_value(&[b"}".to_vec(), key, int(1), b"s".to_vec()].concat(), &[])?;
            Ok::<_, ErrorKind>(read.metadata().keys().cloned().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(read(scalar("i8", "<", &7_i64.to_le_bytes())).unwrap(), "7");
        assert_eq!(read(call("torch", "device", &[text("cpu")])).unwrap(), "cpu");
        assert_eq!(read(call("pathlib", "PosixPath", &[text("a"), text("b")])).unwrap(), "a/b");
        assert_eq!(read(b"ctorch\nint8\n".to_vec()).unwrap(), "torch.int8");
        let Err(ErrorKind::Unsupported { what, .. }) = read(scalar("S1", "|", b"a")) else {
            panic!("bytes are a key")
        };
        assert_eq!(what, "a dict with a numpy scalar as a key");
    }

    /// A long text that is part of many paths is counted each time, before it is copied.
    #[test]
    fn texts_of_paths_are_bounded() {
        let path = [&b"h\x00"[..]; 8].concat();
        let path = [&b"cpathlib\nPosixPath\n("[..], &path, b"tR"].concat();
        let value = [text(&"x".repeat(1000)), b"q\x00".to_vec(), path.repeat(20)].concat();
        let file = archive(&pickle(&[&b"]("[..], &value, b"e"].concat()), &[]);
        assert!(open_within(&file, &Limits::default()).is_ok());
        let few = Limits { header_bytes: 100_000, ..Limits::default() };
        let Err(ErrorKind::LimitExceeded { limit: "header_bytes", .. }) = open_within(&file, &few)
        else {
            panic!("160 kB of text within 100 kB")
        };
    }
}
