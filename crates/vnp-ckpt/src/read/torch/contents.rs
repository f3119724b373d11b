//! From the values of a pickle to a checkpoint: which form it has, its ids, its rows, the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::super::container::{Input, Origin};
use super::context::{Context, shown};
use super::pickle::{Item, Node, Tree, check_extent};
use super::source::Source;
use super::storages::Storages;
use super::tensors::{Plan, Plans};
use crate::checkpoint::builder::check_values;
use crate::digest::Digest;
use crate::header::decode::check_words;
use crate::header::layout::{check_contents, length_of};
use crate::header::{Encoding, Header, IDS, Producer, Section};
use crate::value::MAX_DEPTH;
use crate::{Error, RowRange, Value};

mod exported;
mod floats;
mod gate;
mod ids;
mod module;
mod rows;
mod walk;

pub(crate) use gate::admit;
use rows::Rows;
use walk::Walk;

/// A file's contents, but for what is read when it is asked for.
pub(crate) struct Contents {
    pub(crate) header: Header,
    pub(crate) ids: Vec<String>,
    /// One for each section after the ids.
    pub(crate) plans: Plans,
}

/// What a checkpoint will be made of.
struct Draft {
    kind: String,
    rows: RowRange,
    ids: Vec<String>,
    tensors: Vec<Entry>,
    metadata: BTreeMap<String, Value>,
    created: String,
    producer: Producer,
    unknown: BTreeMap<String, Value>,
    producer_unknown: BTreeMap<String, Value>,
    ids_unknown: BTreeMap<String, Value>,
}

/// A tensor of a checkpoint.
struct Entry {
    name: String,
    per_row: bool,
    plan: Plan,
    unknown: BTreeMap<String, Value>,
}

impl Entry {
    fn row(name: &str, plan: Plan) -> Self {
        Self { name: name.to_owned(), per_row: true, plan, unknown: BTreeMap::new() }
    }

    fn free(name: String, plan: Plan) -> Self {
        Self { name, per_row: false, plan, unknown: BTreeMap::new() }
    }
}

/// The forms that the Python tools write: the key of the ids, that of the rows, the kind, and
/// what the tensor is called.
const FORMS: [(&str, &str, &str, &str); 4] = [
    ("nucleotide", "data", "nucleotide", "embedding"),
    ("proteins", "data", "protein", "embedding"),
    ("ids", "data", "merged", "data"),
    ("sequence_ids", "embeddings", "protein", "embedding"),
];

/// Decides what a pickle means.
pub(crate) fn contents<R: Input>(
    tree: &Tree<'_>,
    source: &Source<R>,
    origin: Origin<'_>,
) -> Result<Contents, Error> {
    let context = Context { path: origin.path, limits: origin.limits };
    let (version, status) = gate::ask(tree, context)?;
    check_extent(tree, context)?;
    let storages = Storages::check(tree, source, context)?;
    let draft = draft(tree, &storages, origin, context)?;
    let mut sections = vec![Section {
        name: IDS.to_owned(),
        encoding: Encoding::Strings { count: draft.ids.len() as u64 },
        offset: 0,
        length: draft.ids.iter().fold(8, |length, id| length + 8 + id.len() as u64),
        digest: Digest::default(),
        unknown: draft.ids_unknown,
    }];
    let mut plans = Vec::new();
    for Entry { name, per_row, plan, unknown } in draft.tensors {
        let encoding = Encoding::Tensor { dtype: plan.dtype(), shape: plan.shape(), per_row };
        let Some(length) = length_of(&encoding) else {
            return Err(context.bad_tensor(name, "fewer than 2^64 bytes", "more"));
        };
        let digest = Digest::default();
        sections.push(Section { name, encoding, offset: 0, length, digest, unknown });
        plans.push(plan);
    }
    let header = Header {
        version,
        status,
        kind: draft.kind,
        rows: draft.rows,
        created: draft.created,
        producer: draft.producer,
        sections,
        metadata: draft.metadata,
        unknown: draft.unknown,
        producer_unknown: draft.producer_unknown,
    };
    check_words(&header)
        .and_then(|()| check_contents(&header, context.limits))
        .map_err(|error| error.in_file(context.path))?;
    check_depth(&header, context)?;
    check_values(&header).map_err(|error| error.in_file(context.path))?;
    let plans = Plans::new(plans, storages, context)?;
    Ok(Contents { header, ids: draft.ids, plans })
}

fn draft(
    tree: &Tree<'_>,
    storages: &Storages,
    origin: Origin<'_>,
    context: Context<'_>,
) -> Result<Draft, Error> {
    let mut draft = Draft {
        kind: String::new(),
        rows: RowRange::default(),
        ids: Vec::new(),
        tensors: Vec::new(),
        metadata: BTreeMap::new(),
        created: origin.modified.to_owned(),
        producer: Producer { name: "PyTorch".to_owned(), version: String::new() },
        unknown: BTreeMap::new(),
        producer_unknown: BTreeMap::new(),
        ids_unknown: BTreeMap::new(),
    };
    let root = tree.root();
    let mut walk = Walk::new(tree, storages, context);
    let Some(entries) = tree.dict(root) else {
        top(&mut draft, &mut walk, root)?;
        draft.tensors = walk.into_tensors();
        return Ok(named(draft));
    };
    if entry(tree, root, exported::KEY, context)?.is_some() {
        exported::draft(&mut draft, &mut walk, entries, context)?;
        draft.tensors.extend(walk.into_tensors());
        return Ok(draft);
    }
    let mut taken = BTreeSet::from(["version", "status"]);
    if let Some((ids_key, ids, data_key, data, kind, name)) = form(tree, context)? {
        draft.ids = ids::ids(tree, ids_key, ids, context)?;
        draft.rows = RowRange::new(0, draft.ids.len() as u64);
        let rows = Rows { tree, storages, context, key: data_key };
        draft.tensors.push(Entry::row(name, rows.plan(data, &draft.ids)?));
        draft.kind = kind.to_owned();
        taken.extend([ids_key, data_key]);
    }
    rest(&mut draft, &mut walk, entries, &taken, context)?;
    draft.tensors.extend(walk.into_tensors());
    Ok(named(draft))
}

/// A top level that is no dict has no name: its tensors are named by their places in it.
fn top(draft: &mut Draft, walk: &mut Walk<'_, '_>, root: Item) -> Result<(), Error> {
    let is_tensor = matches!(walk.tree.node_of(root), Some(Node::Tensor(_) | Node::Array(_)));
    match walk.value(if is_tensor { "tensor" } else { "" }, root)? {
        Some(Value::Map(map)) => draft.metadata = map,
        Some(value) => drop(draft.metadata.insert("value".to_owned(), value)),
        None => {}
    }
    Ok(())
}

/// The entries of the top level that nobody took: tensors, and metadata.
fn rest(
    draft: &mut Draft,
    walk: &mut Walk<'_, '_>,
    entries: &[(Item, Item)],
    taken: &BTreeSet<&str>,
    context: Context<'_>,
) -> Result<(), Error> {
    for &(key, item) in entries {
        let key = walk.key(key)?;
        if taken.contains(key.as_str()) {
            continue;
        }
        if let Some(value) = walk.value(&key, item)?
            && draft.metadata.insert(key.clone(), value).is_some()
        {
            return Err(twice(context, &key));
        }
    }
    Ok(())
}

/// Refuses metadata that no file of ours could hold.
fn check_depth(header: &Header, context: Context<'_>) -> Result<(), Error> {
    let deep = header.metadata.iter().find(|(_, value)| !value.fits_depth(MAX_DEPTH - 2));
    match deep {
        None => Ok(()),
        Some((key, _)) => {
            let what = format!("metadata of more than 30 levels at `{}`", shown(key.as_bytes()));
            Err(context.unsupported(what, "save flatter lists and dicts"))
        }
    }
}

/// A file without rows is named by what is in it.
fn named(mut draft: Draft) -> Draft {
    if draft.kind.is_empty() {
        let kind = if draft.tensors.is_empty() { "values" } else { "weights" };
        draft.kind = kind.to_owned();
    }
    draft
}

type Form<'f> = (&'f str, Item, &'f str, Item, &'f str, &'f str);

/// The form of the top level, where it is one with rows.
fn form(tree: &Tree<'_>, context: Context<'_>) -> Result<Option<Form<'static>>, Error> {
    let find = |key| entry(tree, tree.root(), key, context);
    for (ids_key, data_key, kind, name) in FORMS {
        match (find(ids_key)?, find(data_key)?) {
            (Some(ids), Some(data)) => {
                return Ok(Some((ids_key, ids, data_key, data, kind, name)));
            }
            (Some(_), None) => return Err(missing(context, data_key)),
            // By itself `data` may be anything, unless the file says that it is a checkpoint.
            (None, Some(_)) if data_key == "embeddings" => return Err(missing(context, ids_key)),
            (None, _) => {}
        }
    }
    if find("data")?.is_some() && find("version")?.is_some() {
        return Err(missing(context, IDS));
    }
    Ok(None)
}

/// The value of a key that is there once at most.
fn entry(
    tree: &Tree<'_>,
    dict: Item,
    key: &str,
    context: Context<'_>,
) -> Result<Option<Item>, Error> {
    let entries = tree.dict(dict).unwrap_or_default();
    let mut found = entries.iter().filter(|(found, _)| tree.is_text(*found, key));
    let first = found.next().map(|&(_, item)| item);
    if found.next().is_some() {
        return Err(twice(context, key));
    }
    Ok(first)
}

fn twice(context: Context<'_>, key: &str) -> Error {
    let key = shown(key.as_bytes());
    context.bad_pickle("data.pkl", format!("the key `{key}` once"), "twice")
}

fn missing(context: Context<'_>, field: &str) -> Error {
    Error::MissingField { path: context.path.to_owned(), field: field.to_owned() }
}

fn bad(
    context: Context<'_>,
    field: impl Into<String>,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> Error {
    Error::BadHeader {
        path: context.path.to_owned(),
        field: field.into(),
        expected: expected.into(),
        found: found.into(),
    }
}

/// What a tensor or an array is, if it is one.
fn plan_of(
    tree: &Tree<'_>,
    storages: &Storages,
    item: Item,
    context: Context<'_>,
) -> Result<Option<Plan>, Error> {
    match tree.node_of(item) {
        Some(Node::Tensor(tensor)) => {
            storages.view(tree, tensor, context).map(|view| Some(Plan::View(view)))
        }
        Some(Node::Array(Some(state))) => {
            super::numpy::tensor(tree, state, context).map(|tensor| Some(Plan::Ready(tensor)))
        }
        _ => Ok(None),
    }
}
