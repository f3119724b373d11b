//! numpy arrays and scalars: their elements are in the pickle itself.

use half::f16;

use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::read::torch::pickle::tree::{ArrayState, Item, Node, Tree};
use crate::read::torch::shown::shown;
use crate::read::torch::strided::gather;
use crate::tensor::Tensor;
use crate::tensor::block::Block;
use crate::tensor::dtype::Dtype;
use crate::tensor::element_count;
use crate::value::Value;

/// The array as a tensor.
pub(crate) fn tensor(
    tree: &Tree<'_>,
    state: &ArrayState,
    limits: &Limits,
) -> Result<Tensor, ErrorKind> {
    let what = || format!("array at byte {}", state.position);
    let Stored { dtype, unsigned } = stored(tree, state)?;
    if !matches!(state.data, Item::Bytes { .. } | Item::Latin1 { .. }) {
        return Err(ErrorKind::bad_tensor(what(), "bytes", tree.noun(state.data)));
    }
    // Unsigned integers take half of the room that they get below.
    let size = dtype.size_bytes() / if unsigned { 2 } else { 1 };
    let shape = tree.tuple(state.shape).unwrap_or_default();
    limits::check("tensor_rank", limits.tensor_rank, shape.len())?;
    let shape: Option<Vec<usize>> = shape
        .iter()
        .map(|item| match *item {
            Item::Int(size) => usize::try_from(size).ok(),
            _ => None,
        })
        .collect();
    let bytes = shape.as_deref().and_then(element_count);
    let bytes = bytes.and_then(|count| count.checked_mul(size as u64));
    let (Some(shape), Some(bytes)) = (shape, bytes) else {
        return Err(ErrorKind::bad_tensor(what(), "sizes from 0, below 2^64 in all", "others"));
    };
    // That it is a text, that it is as long, and that each character is a byte.
    tree.budget.work(tree.raw(state.data).len().saturating_mul(3))?;
    let latin1 = tree.latin1(state.data);
    let found = match latin1 {
        Some(text) => text.chars().count() as u64,
        None => tree.raw(state.data).len() as u64,
    };
    if found != bytes {
        return Err(ErrorKind::bad_tensor(what(), format!("{bytes} bytes"), found.to_string()));
    }
    // As many as there are in the pickle.
    let length = bytes.min(tree.raw(state.data).len() as u64);
    tree.budget.memory(length.saturating_mul(if unsigned { 3 } else { 2 }))?;
    let mut block = Block::for_section("data.pkl", length)?;
    match latin1 {
        Some(text) => {
            let characters = text.chars().map(|character| u8::try_from(character).unwrap_or(0));
            block.bytes_mut().iter_mut().zip(characters).for_each(|(to, from)| *to = from);
        }
        None => block.bytes_mut().copy_from_slice(tree.raw(state.data)),
    }
    if state.fortran && shape.len() > 1 && length > 0 {
        let mut stride = Vec::new();
        shape.iter().fold(1, |step, &size| {
            stride.push(step);
            step * size as u64
        });
        let mut ordered = Block::for_section("data.pkl", length)?;
        gather(block.bytes(), size, 0, &shape, &stride, ordered.bytes_mut());
        block = ordered;
    }
    if unsigned {
        let mut wider = Block::for_section("data.pkl", length.saturating_mul(2))?;
        let elements = block.bytes().chunks_exact(size);
        for (to, from) in wider.bytes_mut().chunks_exact_mut(2 * size).zip(elements) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
        block = wider;
    }
    Tensor::from_block(dtype, shape, block)
}

/// The value of a numpy scalar of this dtype and data.
pub(crate) fn scalar(tree: &Tree<'_>, dtype: Item, data: Item) -> Result<Value, ErrorKind> {
    let (order, name) = match tree.node_of(dtype) {
        Some(Node::ArrayType { name, order: Some(order) }) => {
            let (name, order) = (*name, **order);
            (tree.text(order).unwrap_or("?"), tree.text(name).unwrap_or("?"))
        }
        _ => ("?", "?"),
    };
    let bytes: Vec<u8> = match tree.latin1(data) {
        Some(text) => text.chars().map(|byte| u8::try_from(byte).unwrap_or_default()).collect(),
        None => tree.raw(data).to_vec(),
    };
    let value = match (order, name) {
        ("<", "f8") => number(&bytes).map(|bytes| Value::Float(f64::from_le_bytes(bytes))),
        ("<", "f4") => number(&bytes).map(|bytes| Value::Float(f32::from_le_bytes(bytes).into())),
        ("<", "f2") => number(&bytes).map(|bytes| Value::Float(f16::from_le_bytes(bytes).into())),
        ("<", "i8") => number(&bytes).map(|bytes| Value::Int(i64::from_le_bytes(bytes))),
        ("<", "i4") => number(&bytes).map(|bytes| Value::Int(i32::from_le_bytes(bytes).into())),
        ("<", "i2") => number(&bytes).map(|bytes| Value::Int(i16::from_le_bytes(bytes).into())),
        ("|", "i1") => number(&bytes).map(|bytes| Value::Int(i8::from_le_bytes(bytes).into())),
        ("<", "u8") => number(&bytes)
            .and_then(|bytes| i64::try_from(u64::from_le_bytes(bytes)).ok())
            .map(Value::Int),
        ("<", "u4") => number(&bytes).map(|bytes| Value::Int(u32::from_le_bytes(bytes).into())),
        ("<", "u2") => number(&bytes).map(|bytes| Value::Int(u16::from_le_bytes(bytes).into())),
        ("|", "u1") => number(&bytes).map(|[byte]| Value::Int(byte.into())),
        ("|", "b1") => number(&bytes).and_then(|[byte]| match byte {
            0 => Some(Value::Bool(false)),
            1 => Some(Value::Bool(true)),
            _ => None,
        }),
        ("<", name) if name.starts_with('U') => unicode(&bytes).map(Value::String),
        ("|", name) if name.starts_with('S') => Some(Value::Bytes(without_padding(&bytes))),
        _ => None,
    };
    value.ok_or_else(|| {
        let what = format!("a numpy scalar of `{}`", shown(format!("{order}{name}").as_bytes()));
        ErrorKind::unsupported(what, "save it as a number or a text of Python")
    })
}

fn number<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

/// A text of numpy: a character in 4 bytes, zeros at the end.
fn unicode(bytes: &[u8]) -> Option<String> {
    let (characters, rest) = bytes.as_chunks::<4>();
    let text: Option<String> =
        characters.iter().map(|character| char::from_u32(u32::from_le_bytes(*character))).collect();
    text.filter(|_| rest.is_empty()).map(|text| text.trim_end_matches('\0').to_owned())
}

fn without_padding(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.iter().take(length).copied().collect()
}

/// The type that the elements of an array are stored in.
struct Stored {
    /// The type that they become.
    dtype: Dtype,
    /// Whether they are unsigned integers of half its size, which it holds all of.
    unsigned: bool,
}

/// The type of the elements of an array.
fn stored(tree: &Tree<'_>, state: &ArrayState) -> Result<Stored, ErrorKind> {
    let Some(Node::ArrayType { name, order: Some(order) }) = tree.node(state.dtype) else {
        let what = format!("array at byte {}", state.position);
        return Err(ErrorKind::bad_tensor(what, "a dtype", "none"));
    };
    let (name, order) = (tree.text(*name).unwrap_or("?"), tree.text(**order).unwrap_or("?"));
    let signed = |dtype| Stored { dtype, unsigned: false };
    Ok(signed(match (order, name) {
        // As in the state of numpy's random numbers.
        ("<", "u4") => return Ok(Stored { dtype: Dtype::I64, unsigned: true }),
        ("<", "u2") => return Ok(Stored { dtype: Dtype::I32, unsigned: true }),
        ("<", "f4") => Dtype::F32,
        ("<", "f2") => Dtype::F16,
        ("<", "f8") => Dtype::F64,
        ("<", "i8") => Dtype::I64,
        ("<", "i4") => Dtype::I32,
        ("<", "i2") => Dtype::I16,
        ("|", "i1") => Dtype::I8,
        ("|", "u1") => Dtype::U8,
        ("|", "b1") => Dtype::Bool,
        _ => {
            let found = shown(format!("{order}{name}").as_bytes());
            let remedy = "convert the array to a little-endian type that PyTorch has";
            return Err(ErrorKind::unsupported(format!("a numpy array of `{found}`"), remedy));
        }
    }))
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use crate::error::kind::ErrorKind;
    use crate::limits::Limits;
    use crate::read::torch::forged::*;
    use crate::tensor::Tensor;
    use crate::tensor::dtype::Dtype;

    /// An array as numpy pickles it by protocol 2.
    fn array(dtype: &str, order: &str, shape: &[i64], fortran: bool, data: Vec<u8>) -> Vec<u8> {
        let kind = call("_codecs", "encode", &[text("b"), text("latin1")]);
        let class = b"cnumpy\nndarray\n".to_vec();
        let made = call("numpy.core.multiarray", "_reconstruct", &[class, numbers(&[0]), kind]);
        let [yes, no, none] = [b"\x88", b"\x89", b"N"].map(|bytes| bytes.to_vec());
        let dtype = call("numpy", "dtype", &[text(dtype), no.clone(), yes.clone()]);
        let none = [none.clone(), none.clone(), none];
        let state = [&[int(3), text(order)], &none[..], &[int(-1), int(-1), int(0)]];
        let dtype = [dtype, tuple(&state.concat()), b"b".to_vec()].concat();
        let fortran = if fortran { yes } else { no };
        [made, tuple(&[int(1), numbers(shape), dtype, fortran, data]), b"b".to_vec()].concat()
    }

    fn latin1(data: &str) -> Vec<u8> {
        call("_codecs", "encode", &[text(data), text("latin1")])
    }

    fn read(value: &[u8]) -> Result<Tensor, ErrorKind> {
        let read = load_value(value, &[])?;
        Ok(read.tensor("tensor").unwrap().clone())
    }

    #[test]
    fn elements_come_from_the_pickle() {
        let read = |dtype, order, shape: &[i64], data| {
            self::read(&array(dtype, order, shape, false, data)).unwrap()
        };
        let one = "\0\0\u{80}?";
        assert_eq!(read("f4", "<", &[1], latin1(one)).as_f32().unwrap(), [1.0]);
        assert_eq!(read("f4", "<", &[], b"C\x04\0\0\x80?".to_vec()).as_f32().unwrap(), [1.0]);
        assert_eq!(read("u1", "|", &[2, 1], latin1("\u{ff}a")).as_u8().unwrap(), [0xff, b'a']);
        assert_eq!(read("b1", "|", &[1], latin1("\x01")).dtype(), Dtype::Bool);
        assert_eq!(read("f2", "<", &[0, 5], latin1("")).shape(), [0, 5]);
    }

    #[test]
    fn unsigned_integers_become_wider_ones() {
        let four = array("u4", "<", &[2], false, latin1("\u{ff}\u{ff}\u{ff}\u{ff}\x01\0\0\0"));
        let four = self::read(&four).unwrap();
        assert_eq!(four.as_i64().unwrap(), [i64::from(u32::MAX), 1]);
        let two = array("u2", "<", &[1, 2], true, latin1("\u{ff}\u{ff}\x01\0"));
        let two = self::read(&two).unwrap();
        assert_eq!((two.shape(), two.dtype()), (&[1, 2][..], Dtype::I32));
        assert_eq!(two.bytes(), [0xff, 0xff, 0, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn bytes_that_many_arrays_share_are_bounded() {
        let data = [latin1(&"x".repeat(1000)), b"q\0".to_vec()].concat();
        let one = |data: Vec<u8>| array("u1", "|", &[1000], false, data);
        let mut arrays = vec![one(data)];
        arrays.extend((0..9).map(|_| one(b"h\0".to_vec())));
        let file = archive(&pickle(&list(&arrays)), &[]);
        let few = |bytes| Limits { expanded_bytes: bytes, ..Limits::default() };
        assert!(open_within(&file, &few(10_000)).is_ok());
        let Err(ErrorKind::LimitExceeded { limit: "expanded_bytes", .. }) =
            open_within(&file, &few(100))
        else {
            panic!("the bytes were copied without end")
        };
    }

    #[test]
    fn columns_first_becomes_rows_first() {
        let array = array("u1", "|", &[2, 3], true, latin1("adbecf"));
        assert_eq!(read(&array).unwrap().as_u8().unwrap(), b"abcdef");
    }

    #[track_caller]
    fn check_bad(value: &[u8]) {
        let Err(ErrorKind::BadTensor { .. }) = read(value) else { panic!("{:?}", read(value)) };
    }

    #[track_caller]
    fn check_unsupported(dtype: &str, order: &str) {
        let value = array(dtype, order, &[1], false, latin1("\0\0\0\0"));
        let Err(ErrorKind::Unsupported { .. }) = read(&value) else { panic!("{:?}", read(&value)) };
    }

    #[test]
    fn what_is_no_array_of_numbers() {
        check_bad(&array("u1", "|", &[2], false, latin1("abc")));
        check_bad(&array("u1", "|", &[4], false, latin1("abc")));
        check_bad(&array("u1", "|", &[-1], false, latin1("abc")));
        check_bad(&array("f8", "<", &[1 << 40, 1 << 40], false, latin1("abc")));
        check_bad(&array("u1", "|", &[1], false, list(&[int(1)])));
        check_unsupported("f4", ">");
        check_unsupported("O8", "|");
        check_unsupported("c8", "<");
        check_unsupported("f4", "=");
    }
}
