//! Files that this crate exported: everything that the Python tools' form has no room for is under
//! one key.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::error::kind::ErrorKind;
use crate::header::IDS;
use crate::header::description::Description;
use crate::header::fields::Fields;
use crate::limits::{self, Limits};
use crate::read::torch::contents::draft::{Draft, Entry};
use crate::read::torch::contents::ids;
use crate::read::torch::contents::lookup::{entry, twice};
use crate::read::torch::contents::rest::rest;
use crate::read::torch::contents::rows::Rows;
use crate::read::torch::contents::walk::Walk;
use crate::read::torch::pickle::tree::{Item, Tree};
use crate::read::torch::shown::shown;
use crate::read::torch::tensors::Plan;
use crate::tensor::Tensor;
use crate::tensor::block::Block;
use crate::tensor::dtype::{Dtype, UnknownDtype};
use crate::tensor::element_count;
use crate::value::Value;

/// The key.
const KEY: &str = "vnp";

/// The newest version of the dict under it that this release reads.
const FORMAT: i64 = 1;

/// Whether a file is such an export: it has the key. Where only the weights matter, that may be the key of
/// another program, unless it has a format as ours do.
pub(super) fn is_export(tree: &Tree<'_>, weights_only: bool) -> Result<bool, ErrorKind> {
    Ok(match entry(tree, tree.root(), KEY)? {
        None => false,
        Some(vnp) if weights_only => matches!(entry(tree, vnp, "format")?, Some(Item::Int(_))),
        Some(_) => true,
    })
}

/// Fills a draft from the top level of such a file.
pub(super) fn draft(
    draft: &mut Draft,
    walk: &mut Walk<'_, '_>,
    entries: &[(Item, Item)],
    limits: &Limits,
) -> Result<(), ErrorKind> {
    let tree = walk.tree;
    let top = |key: &str| entry(tree, tree.root(), key);
    let vnp = top(KEY)?.unwrap_or(Item::None);
    let Some(fields) = tree.dict(vnp) else {
        return Err(ErrorKind::bad_header(KEY, "a map", tree.noun(vnp)));
    };
    match entry(tree, vnp, "format")? {
        Some(Item::Int(FORMAT)) => {}
        Some(Item::Int(format)) => {
            let what = format!("an export of format {format}");
            return Err(ErrorKind::unsupported(what, "upgrade vnp"));
        }
        Some(other) => return Err(ErrorKind::bad_header("vnp.format", "1", tree.noun(other))),
        None => return Err(ErrorKind::missing_field("vnp.format")),
    }
    let mut values = BTreeMap::new();
    for &(key, item) in fields {
        let key = walk.key(key)?;
        tree.budget.entry(values.len())?;
        if key != "tensors"
            && let Some(value) = walk.value(&key, item)?
            && values.insert(key.clone(), value).is_some()
        {
            return Err(twice(&key));
        }
    }
    let mut fields = Fields::new("vnp.", values);
    draft.description = Description::take(&mut fields)?;
    draft.description.unknown = fields.map("unknown")?;
    if let Some(Value::Map(ids)) = fields.rest().remove(IDS) {
        draft.ids_unknown = ids;
    }

    let keys = [IDS, "nucleotide", "proteins"].into_iter();
    let found = keys.map(|key| Ok((key, top(key)?))).collect::<Result<Vec<_>, ErrorKind>>()?;
    let found = found.into_iter().find_map(|(key, item)| Some((key, item?)));
    let Some((key, found)) = found else { return Err(ErrorKind::missing_field(IDS)) };
    draft.ids = ids::ids(tree, key, found, limits)?;
    let mut taken = BTreeSet::from(["version", "status", KEY, key]);
    let mut names = HashMap::new();
    tree.budget.memory(entries.len().saturating_mul(64))?;
    for &(key, item) in entries {
        if let Some(key) = tree.charged_text(key)?
            && names.insert(key, item).is_some()
        {
            return Err(twice(key));
        }
    }

    let Some(tensors) = entry(tree, vnp, "tensors")? else {
        return Err(ErrorKind::missing_field("vnp.tensors"));
    };
    let Some(tensors) = tree.dict(tensors) else {
        return Err(ErrorKind::bad_header("vnp.tensors", "a map", tree.noun(tensors)));
    };
    limits::check("sections", limits.sections, tensors.len() + 1)?;
    for &(name, item) in tensors {
        let name = walk.key(name)?;
        let (entry, at) = tensor_of(walk, name, item, &draft.ids, &names, limits)?;
        draft.tensors.push(entry);
        if let Some((&at, _)) = at.and_then(|at| names.get_key_value(at.as_str()))
            && !taken.insert(at)
        {
            let subject = format!("tensors at `{}`", shown(at.as_bytes()));
            return Err(ErrorKind::inconsistent(subject, "1", "more"));
        }
    }
    rest(draft, walk, entries, &taken)
}

/// One tensor, and the key of the top level that it is under, if it is.
fn tensor_of(
    walk: &mut Walk<'_, '_>,
    name: String,
    item: Item,
    ids: &[String],
    names: &HashMap<&str, Item>,
    limits: &Limits,
) -> Result<(Entry, Option<String>), ErrorKind> {
    let tree = walk.tree;
    let prefix = format!("vnp.tensors.{name}.");
    let Some(entries) = tree.dict(item) else {
        return Err(ErrorKind::bad_header(prefix, "a map", tree.noun(item)));
    };
    let mut values = BTreeMap::new();
    let mut found = None;
    for &(key, item) in entries {
        let key = walk.key(key)?;
        tree.budget.entry(values.len())?;
        if key == "tensor" {
            found = walk.plan(item)?;
        } else if let Some(value) = walk.value(&key, item)? {
            values.insert(key, value);
        }
    }
    let mut fields = Fields::new(&prefix, values);
    let dtype = fields.text("dtype")?;
    let dtype: Dtype = dtype
        .parse()
        .map_err(|error: UnknownDtype| fields.bad("dtype", "a type", error.to_string()))?;
    let shape = fields.counts("shape")?;
    limits::check("tensor_rank", limits.tensor_rank, shape.len())?;
    let shape = shape.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>();
    let shape = shape.map_err(|_| fields.bad("shape", "sizes that memory has", "others"))?;
    let per_row = fields.truth("per_row")?;
    let at = if found.is_none() { Some(fields.text("at")?) } else { None };
    let unknown = fields.rest();
    let plan = if element_count(&shape) == Some(0) {
        // Nothing in the file says what the rows would be like.
        let block = Block::for_section(&name, 0)?;
        Plan::Ready(Tensor::from_block(dtype, shape.clone(), block)?)
    } else {
        match (found, &at) {
            (Some(plan), _) => plan,
            (None, Some(at)) => {
                let item = names.get(at.as_str()).ok_or_else(|| ErrorKind::missing_field(at))?;
                let rows = Rows { tree, storages: walk.storages, limits, key: at };
                let plan = rows.plan(*item, ids)?;
                walk.note(&plan)?;
                plan
            }
            (None, None) => return Err(ErrorKind::missing_field(&prefix)),
        }
    };
    if (plan.dtype(), plan.shape()) != (dtype, shape.clone()) {
        let found = format!("{} {:?}", plan.dtype(), plan.shape());
        let subject = format!("tensor `{name}`");
        return Err(ErrorKind::inconsistent(subject, format!("{dtype} {shape:?}"), found));
    }
    Ok((Entry { name, per_row, plan, unknown }, at))
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::header::Producer;
    use crate::read::torch::forged::*;
    use crate::rows::RowRange;

    fn vnp(tensors: Vec<u8>) -> Vec<u8> {
        let producer = dict(&[("name", text("p")), ("version", text("2")), ("x", int(9))]);
        dict(&[
            ("format", int(1)),
            ("kind", text("nucleotide")),
            ("rows", list(&[int(5), int(7)])),
            ("created", text("2026-01-31T23:59:59Z")),
            ("producer", producer),
            ("metadata", dict(&[("m", int(3))])),
            ("unknown", dict(&[("u", int(4))])),
            ("tensors", tensors),
        ])
    }

    fn entry(shape: &[i64], per_row: bool, rest: (&str, Vec<u8>)) -> Vec<u8> {
        let shape = list(&shape.iter().map(|&size| int(size)).collect::<Vec<_>>());
        let per_row = if per_row { b"\x88" } else { b"\x89" };
        let fields =
            [("dtype", text("f32")), ("shape", shape), ("per_row", per_row.to_vec()), rest];
        dict(&fields)
    }

    fn read(vnp: Vec<u8>) -> Result<Checkpoint, ErrorKind> {
        let value = dict(&[
            ("nucleotide", texts(&["a", "b"])),
            ("data", tensor("0", &[2, 1])),
            ("version", text("1.0")),
            ("status", text("complete")),
            ("vnp", vnp),
        ]);
        load_value(&value, &[1.0, 2.0])
    }

    #[test]
    fn everything_comes_back() {
        let tensors = dict(&[
            ("embedding", entry(&[2, 1], true, ("at", text("data")))),
            ("free", entry(&[2], false, ("tensor", tensor("0", &[2])))),
            ("none", entry(&[2, 0, 7], true, ("at", text("nowhere")))),
        ]);
        let read = read(vnp(tensors)).unwrap();
        assert_eq!((read.kind(), read.rows()), ("nucleotide", RowRange::new(5, 7)));
        assert_eq!(read.producer(), &Producer { name: "p".to_owned(), version: "2".to_owned() });
        assert_eq!(read.metadata()["m"], Value::Int(3));
        assert_eq!(read.unknown()["u"], Value::Int(4));
        let names: Vec<_> = read.tensors().map(|(name, _)| name).collect();
        assert_eq!(names, ["embedding", "free", "none"]);
        assert_eq!(read.tensor("embedding").unwrap().as_f32().unwrap(), [1.0, 2.0]);
        assert_eq!(read.tensor("none").unwrap().shape(), [2, 0, 7]);
    }

    #[test]
    fn nothing_is_left_out_and_nothing_is_there_twice() {
        let tensors = dict(&[("embedding", entry(&[2, 1], true, ("at", text("data"))))]);
        let with = |more: &[(&str, Vec<u8>)]| {
            let all = [
                &[("ids", texts(&["a", "b"])), ("data", tensor("0", &[2, 1]))],
                more,
                &[("vnp", vnp(tensors.clone()))],
            ];
            load_value(&dict(&all.concat()), &[1.0, 2.0])
        };
        let read = with(&[("more", tensor("0", &[2])), ("n", int(1))]).unwrap();
        let names: Vec<_> = read.tensors().map(|(name, _)| name).collect();
        assert_eq!(names, ["embedding", "more"]);
        assert_eq!(read.metadata()["n"], Value::Int(1));
        let Err(ErrorKind::BadPickle { .. }) = with(&[("data", int(1))]) else { panic!("twice") };
        let at = || entry(&[2, 1], true, ("at", text("data")));
        let Err(ErrorKind::Inconsistent { .. }) =
            self::read(vnp(dict(&[("a", at()), ("b", at())])))
        else {
            panic!("two tensors in one place")
        };
    }

    #[test]
    fn what_it_says_must_be_so() {
        let embedding = |shape: &[i64], at: &str| {
            read(vnp(dict(&[("embedding", entry(shape, true, ("at", text(at))))])))
        };
        let Err(ErrorKind::Inconsistent { .. }) = embedding(&[1, 2], "data") else {
            panic!("shape")
        };
        let Err(ErrorKind::MissingField { .. }) = embedding(&[2, 1], "none") else {
            panic!("place")
        };
        let Err(ErrorKind::BadHeader { .. }) = read(int(1)) else { panic!("a number") };
        let Err(ErrorKind::MissingField { .. }) = read(dict(&[])) else { panic!("nothing") };
        let newer = read(dict(&[("format", int(2))]));
        let Err(ErrorKind::Unsupported { .. }) = newer else { panic!("{newer:?}") };
    }
}
