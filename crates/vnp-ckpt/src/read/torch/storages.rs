//! The storages of tensors, and the piece of one that each tensor views: checked before any is read.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::read::container::Input;
use crate::read::torch::pickle::tree::{Handle, Item, Node, StorageNode, TensorNode, Tree};
use crate::read::torch::shown::shown;
use crate::read::torch::source::Source;
use crate::tensor::dtype::Dtype;
use crate::tensor::element_count;

/// What a storage takes in memory beside its key, with its place in a table.
const STORAGE_BYTES: usize = 200;

/// A piece of memory in the file.
#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) key: String,
    pub(crate) dtype: Dtype,
    /// Its place in the order of the file.
    pub(crate) index: u32,
    /// Its length, in bytes.
    pub(crate) bytes: u64,
}

impl Storage {
    /// Number of elements.
    fn count(&self) -> u64 {
        self.bytes / self.dtype.size_bytes() as u64
    }
}

/// A tensor as a piece of a storage, all of it inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// The place of the storage in its list.
    pub(crate) storage: u32,
    pub(crate) dtype: Dtype,
    /// The first element.
    pub(crate) start: u64,
    pub(crate) shape: Vec<usize>,
    /// The distance in elements between neighbours of each dimension; `None` when they lie in
    /// row-major order without holes.
    pub(crate) stride: Option<Vec<u64>>,
}

impl View {
    /// Length of the elements, in bytes.
    pub(crate) fn bytes(&self) -> Option<u64> {
        element_count(&self.shape)?.checked_mul(self.dtype.size_bytes() as u64)
    }

    /// The bytes of its storage from its first element to its last.
    pub(crate) fn span(&self) -> Option<Range<u64>> {
        let size = self.dtype.size_bytes() as u64;
        let start = self.start.checked_mul(size)?;
        let length = match &self.stride {
            None => self.bytes()?,
            Some(stride) => last_of(0, &self.shape, stride)?.checked_add(1)?.checked_mul(size)?,
        };
        Some(start..start.checked_add(length)?)
    }
}

/// All storages of a file.
#[derive(Debug, Default)]
pub(crate) struct Storages {
    list: Vec<Storage>,
    by_key: HashMap<String, u32>,
}

impl Storages {
    /// Checks every storage and every tensor that the pickle made.
    pub(crate) fn check<R: Input>(
        tree: &Tree<'_>,
        source: &Source<R>,
        limits: &Limits,
    ) -> Result<Self, ErrorKind> {
        let mut storages = Self::default();
        for node in tree.nodes() {
            match node {
                Node::Storage(storage) => storages.add(tree, source, storage)?,
                Node::Tensor(tensor) => drop(storages.view(tree, tensor, limits)?),
                Node::Array(None) => {
                    return Err(ErrorKind::bad_tensor("array", "its elements", "none"));
                }
                _ => {}
            }
        }
        Ok(storages)
    }

    /// The storage of this place.
    pub(crate) fn get(&self, index: u32) -> Option<&Storage> {
        self.list.get(index as usize)
    }

    /// Number of storages.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    fn add<R: Input>(
        &mut self,
        tree: &Tree<'_>,
        source: &Source<R>,
        node: &StorageNode,
    ) -> Result<(), ErrorKind> {
        let key = tree.charged_text(node.key)?.unwrap_or_default();
        let bad = |expected: String, found: String| {
            let what = format!("at byte {}, storage `{}`", node.position, shown(key.as_bytes()));
            Err(ErrorKind::bad_tensor(what, expected, found))
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if key.is_empty() || !key.bytes().all(plain) {
            return bad("a plain key".to_owned(), "another".to_owned());
        }
        let Some((index, bytes)) = source.find(key) else {
            return bad("its record".to_owned(), "none".to_owned());
        };
        let size = node.dtype.size_bytes() as u64;
        let count = match node.count {
            Item::Int(count) => u64::try_from(count).ok(),
            _ => None,
        };
        let Some(stated) = count.and_then(|count| count.checked_mul(size)) else {
            return bad("a number of elements".to_owned(), count_of(tree, node.count));
        };
        if stated != bytes {
            let found = format!("{bytes} bytes in its record");
            return bad(format!("{stated} bytes for {} {}", stated / size, node.dtype), found);
        }
        if let Some(known) = self.by_key.get(key).and_then(|&index| self.get(index)) {
            if known.dtype != node.dtype {
                return bad(format!("{}, as before", known.dtype), node.dtype.to_string());
            }
            return Ok(());
        }
        tree.budget.memory(STORAGE_BYTES + 2 * key.len())?;
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(Storage { key: key.to_owned(), dtype: node.dtype, index, bytes });
        self.by_key.insert(key.to_owned(), next);
        Ok(())
    }

    /// The view that a tensor is.
    pub(crate) fn view(
        &self,
        tree: &Tree<'_>,
        node: &TensorNode,
        limits: &Limits,
    ) -> Result<View, ErrorKind> {
        let bad = |expected: String, found: String| {
            Err(ErrorKind::bad_tensor(format!("at byte {}", node.position), expected, found))
        };
        let key = tree.charged_text(node.storage.key)?.unwrap_or_default();
        let index = self.by_key.get(key).copied();
        let Some((index, storage)) = index.and_then(|index| Some((index, self.get(index)?))) else {
            return bad("a storage".to_owned(), "none".to_owned());
        };
        let rank = tree.tuple(node.size).unwrap_or_default().len();
        limits::check("tensor_rank", limits.tensor_rank, rank)?;
        let Some(shape) = numbers::<usize>(tree, node.size) else {
            return bad("sizes from 0".to_owned(), sequence(tree, node.size));
        };
        let stride = numbers::<u64>(tree, node.stride).filter(|stride| stride.len() == shape.len());
        let Some(stride) = stride else {
            let expected = format!("{} strides from 0", shape.len());
            return bad(expected, sequence(tree, node.stride));
        };
        let start = match node.offset {
            Item::Int(offset) => u64::try_from(offset).ok(),
            _ => None,
        };
        let Some(start) = start else {
            return bad("an offset from 0".to_owned(), count_of(tree, node.offset));
        };
        let (Some(count), Some(last)) = (element_count(&shape), last_of(start, &shape, &stride))
        else {
            return bad("fewer than 2^64 elements".to_owned(), format!("shape {shape:?}"));
        };
        let end = if count == 0 { Some(start) } else { last.checked_add(1) };
        if end.is_none_or(|end| end > storage.count()) {
            let found = format!("shape {shape:?}, strides {stride:?} from element {start} on");
            return bad(format!("to lie in a storage of {} elements", storage.count()), found);
        }
        let stride = (count > 0 && !is_dense(&shape, &stride)).then_some(stride);
        Ok(View { storage: index, dtype: storage.dtype, start, shape, stride })
    }
}

/// The last element that is used, if there is one at all.
fn last_of(start: u64, shape: &[usize], stride: &[u64]) -> Option<u64> {
    shape.iter().zip(stride).try_fold(start, |last, (&size, &stride)| {
        last.checked_add((size.max(1) as u64 - 1).checked_mul(stride)?)
    })
}

/// Whether the elements lie in row-major order without holes; a dimension of one has no stride.
fn is_dense(shape: &[usize], stride: &[u64]) -> bool {
    let mut expected = 1;
    shape.iter().zip(stride).rev().all(|(&size, &stride)| {
        let dense = size == 1 || stride == expected;
        expected *= size as u64;
        dense
    })
}

/// The members of a tuple, where all are integers from 0.
fn numbers<T: TryFrom<i64>>(tree: &Tree<'_>, tuple: Handle) -> Option<Vec<T>> {
    let number = |item: &Item| match *item {
        Item::Int(number) if number >= 0 => T::try_from(number).ok(),
        _ => None,
    };
    tree.tuple(tuple)?.iter().map(number).collect()
}

fn sequence(tree: &Tree<'_>, tuple: Handle) -> String {
    let items = tree.tuple(tuple).unwrap_or_default().iter().take(8);
    let items: Vec<_> = items.map(|&item| count_of(tree, item)).collect();
    format!("({})", items.join(", "))
}

fn count_of(tree: &Tree<'_>, item: Item) -> String {
    match item {
        Item::Int(number) => number.to_string(),
        Item::BigInt { .. } => "an int of more than 64 bits".to_owned(),
        other => tree.noun(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use super::*;
    use crate::limits::Limits;
    use crate::read::torch::forged::*;

    #[track_caller]
    fn check_view(offset: i64, size: &[i64], stride: &[i64], expected: &[f32]) {
        let whole = storage("0", "Float", 4, &[]);
        let read = load_value(&view(whole, offset, size, stride), &[1.0, 2.0, 3.0, 4.0]).unwrap();
        let (name, tensor) = read.tensors().next().unwrap();
        assert_eq!((name, tensor.as_f32().unwrap()), ("tensor", expected));
        assert_eq!(tensor.shape(), size.iter().map(|&size| size as usize).collect::<Vec<_>>());
    }

    #[test]
    fn views_are_put_in_order() {
        check_view(0, &[2, 2], &[2, 1], &[1.0, 2.0, 3.0, 4.0]);
        check_view(0, &[2, 2], &[1, 2], &[1.0, 3.0, 2.0, 4.0]);
        check_view(1, &[3], &[1], &[2.0, 3.0, 4.0]);
        check_view(3, &[], &[], &[4.0]);
        check_view(2, &[2, 3], &[0, 0], &[3.0; 6]);
        check_view(0, &[1, 4], &[99, 1], &[1.0, 2.0, 3.0, 4.0]);
        check_view(4, &[0, 7], &[7, 1], &[]);
    }

    #[track_caller]
    fn check_bad(value: &[u8]) {
        match load_value(value, &[1.0, 2.0, 3.0, 4.0]) {
            Err(ErrorKind::BadTensor { .. }) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_lies_outside() {
        let bad = |offset, size: &[i64], stride: &[i64]| {
            check_bad(&view(storage("0", "Float", 4, &[]), offset, size, stride));
        };
        bad(1, &[4], &[1]);
        bad(5, &[0], &[1]);
        bad(0, &[3], &[2]);
        bad(-1, &[1], &[1]);
        bad(0, &[-1], &[1]);
        bad(0, &[2], &[-1]);
        bad(0, &[2, 2], &[1]);
        bad(0, &[2], &[1, 1]);
        bad(0, &[1 << 62, 1 << 62], &[1, 1]);
        bad(0, &[1 << 62, 2, 2], &[0, 0, 0]);
        bad(0, &[i64::MAX], &[1]);
        bad(0, &[2], &[i64::MAX]);
        bad(i64::MAX, &[2], &[i64::MAX]);
    }

    #[test]
    fn a_storage_is_its_record() {
        let bad =
            |key, dtype, count| check_bad(&view(storage(key, dtype, count, &[]), 0, &[], &[]));
        bad("0", "Float", 3);
        bad("0", "Float", 5);
        bad("0", "Float", -4);
        bad("0", "Float", i64::MAX);
        bad("0", "Double", 4);
        bad("1", "Float", 4);
        bad("", "Float", 4);
        bad("../data.pkl", "Float", 4);
        bad("0/../0", "Float", 4);
        bad("0\0", "Float", 4);
        let two = |other| list(&[tensor("0", &[4]), view(other, 0, &[], &[])]);
        check_bad(&two(storage("0", "Int", 4, &[])));
        assert!(load_value(&two(storage("0", "Float", 4, &[])), &[0.0; 4]).is_ok());
    }

    #[test]
    fn what_is_repeated_is_bounded() {
        let bomb = |size: &[i64]| {
            let stride = vec![0; size.len()];
            pickle(&view(storage("0", "Float", 1, &[]), 0, size, &stride))
        };
        let file = |pickle: &[u8]| archive(pickle, &[("0", &[0; 4])]);
        let Err(ErrorKind::LimitExceeded { limit: "expanded_bytes", found, .. }) =
            load(&file(&bomb(&[1 << 40])))
        else {
            panic!("2^40 elements were made")
        };
        assert_eq!(found, (4 << 40) - 4);
        let few = Limits { expanded_bytes: 36, ..Limits::default() };
        assert!(open_within(&file(&bomb(&[10])), &few).is_ok());
        assert!(open_within(&file(&bomb(&[11])), &few).is_err());
        let Err(ErrorKind::LimitExceeded { limit: "tensor_rank", .. }) =
            load(&file(&bomb(&[1; 9])))
        else {
            panic!("nine dimensions were read")
        };
    }

    #[test]
    fn tensors_of_one_storage_share_it() {
        let value = list(&[tensor("0", &[4]), tensor("0", &[2, 2])]);
        let read = load_value(&value, &[1.0, 2.0, 3.0, 4.0]).unwrap();
        let places: Vec<_> = read.tensors().map(|(_, tensor)| tensor.bytes().as_ptr()).collect();
        assert_eq!(places[0], places[1]);
    }

    #[track_caller]
    fn check_dense(shape: &[usize], stride: &[u64], expected: bool) {
        assert_eq!(is_dense(shape, stride), expected, "{shape:?} {stride:?}");
    }

    #[test]
    fn row_major_order() {
        check_dense(&[], &[], true);
        check_dense(&[3], &[1], true);
        check_dense(&[3], &[2], false);
        check_dense(&[3], &[0], false);
        check_dense(&[3, 4], &[4, 1], true);
        check_dense(&[3, 4], &[1, 3], false);
        check_dense(&[1, 4], &[77, 1], true);
        check_dense(&[4, 1], &[1, 77], true);
        check_dense(&[2, 2], &[4, 1], false);
    }

    #[track_caller]
    fn check_last(start: u64, shape: &[usize], stride: &[u64], expected: Option<u64>) {
        assert_eq!(last_of(start, shape, stride), expected, "{start} {shape:?} {stride:?}");
    }

    #[test]
    fn last_elements_do_not_overflow() {
        check_last(0, &[], &[], Some(0));
        check_last(5, &[3, 4], &[4, 1], Some(16));
        check_last(0, &[1 << 40], &[0], Some(0));
        check_last(0, &[1 << 40], &[1 << 40], None);
        check_last(u64::MAX, &[2], &[1], None);
    }
}
