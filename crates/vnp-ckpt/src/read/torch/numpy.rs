//! numpy arrays: their elements are in the pickle itself.

use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::read::torch::pickle::tree::{ArrayState, Item, Node, Tree};
use crate::read::torch::shown::shown;
use crate::read::torch::strided::gather;
use crate::tensor::Tensor;
use crate::tensor::block::Block;
use crate::tensor::dtype::Dtype;
use crate::tensor::element_count;

/// The array as a tensor.
pub(crate) fn tensor(
    tree: &Tree<'_>,
    state: &ArrayState,
    limits: &Limits,
) -> Result<Tensor, ErrorKind> {
    let what = || format!("array at byte {}", state.position);
    let dtype = dtype(tree, state)?;
    if !matches!(state.data, Item::Bytes { .. } | Item::Latin1 { .. }) {
        return Err(ErrorKind::bad_tensor(what(), "bytes", tree.noun(state.data)));
    }
    let size = dtype.size_bytes();
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
    Tensor::from_block(dtype, shape, block)
}

/// The type of the elements of an array.
fn dtype(tree: &Tree<'_>, state: &ArrayState) -> Result<Dtype, ErrorKind> {
    let Some(&Node::ArrayType { name, order: Some(order) }) = tree.node(state.dtype) else {
        let what = format!("array at byte {}", state.position);
        return Err(ErrorKind::bad_tensor(what, "a dtype", "none"));
    };
    let (name, order) = (tree.text(name).unwrap_or("?"), tree.text(order).unwrap_or("?"));
    Ok(match (order, name) {
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
    })
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
