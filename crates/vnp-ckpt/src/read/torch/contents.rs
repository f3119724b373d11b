//! From the values of a pickle to a checkpoint: which form it has, its ids, its rows, the rest.

use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::builder::check_values;
use crate::digest::Digest;
use crate::error::kind::ErrorKind;
use crate::header::decode::check_words;
use crate::header::description::Description;
use crate::header::layout::{check_contents, length_of};
use crate::header::{Encoding, Header, IDS, Section};
use crate::limits::Limits;
use crate::read::container::{Input, Origin};
use crate::read::torch::pickle::extent;
use crate::read::torch::pickle::tree::{Item, Node, Tree};
use crate::read::torch::shown::shown;
use crate::read::torch::source::Source;
use crate::read::torch::storages::Storages;
use crate::read::torch::tensors::Plans;
use crate::rows::RowRange;
use crate::value::MAX_DEPTH;
use crate::value::Value;

mod draft;
mod exported;
mod floats;
mod gate;
mod ids;
mod lookup;
mod module;
mod rest;
mod rows;
mod walk;

use draft::{Draft, Entry};
use lookup::entry;
use rest::rest;
use rows::Rows;
use walk::Walk;

/// A file's contents, without the tensors, which are read on request.
pub(crate) struct Contents {
    pub(crate) header: Header,
    pub(crate) ids: Vec<String>,
    /// One for each section after the ids.
    pub(crate) plans: Plans,
}

/// The forms that the Python tools write: the key of the ids, that of the rows, the kind, and
/// what the tensor is called.
const FORMS: [(&str, &str, &str, &str); 4] = [
    ("nucleotide", "data", "nucleotide", "embedding"),
    ("proteins", "data", "protein", "embedding"),
    ("ids", "data", "merged", "data"),
    ("sequence_ids", "embeddings", "protein", "embedding"),
];

/// Checks the version, where something else is inspected before the contents.
pub(crate) fn admit(tree: &Tree<'_>, weights_only: bool) -> Result<(), ErrorKind> {
    gate::ask(tree, is_ours(tree, weights_only)?).map(drop)
}

/// Whether `version` and `status` are to be understood as ours.
fn is_ours(tree: &Tree<'_>, weights_only: bool) -> Result<bool, ErrorKind> {
    if !weights_only || exported::is_export(tree, weights_only)? || has_rows(tree)? {
        return Ok(true);
    }
    // Of a newer version there may be nothing else that is known.
    let is_gate = |key: Item| tree.is_text(key, "version") || tree.is_text(key, "status");
    Ok(tree.dict(tree.root()).is_some_and(|entries| entries.iter().all(|(key, _)| is_gate(*key))))
}

/// Interprets the values of a pickle.
pub(crate) fn contents<R: Input>(
    tree: &Tree<'_>,
    source: &Source<R>,
    origin: Origin<'_>,
) -> Result<Contents, ErrorKind> {
    let limits = origin.limits;
    let (version, status) = gate::ask(tree, is_ours(tree, origin.weights_only)?)?;
    extent::check(tree, limits)?;
    let storages = Storages::check(tree, source, limits)?;
    let draft = draft(tree, &storages, origin, limits)?;
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
            return Err(ErrorKind::bad_tensor(name, "fewer than 2^64 bytes", "more"));
        };
        let digest = Digest::default();
        sections.push(Section { name, encoding, offset: 0, length, digest, unknown });
        plans.push(plan);
    }
    let header = draft.description.header(version, status, sections);
    check_words(&header)?;
    check_contents(&header, limits)?;
    check_depth(&header)?;
    check_values(&header)?;
    let plans = Plans::new(plans, storages, limits, tree.budget)?;
    Ok(Contents { header, ids: draft.ids, plans })
}

fn draft(
    tree: &Tree<'_>,
    storages: &Storages,
    origin: Origin<'_>,
    limits: &Limits,
) -> Result<Draft, ErrorKind> {
    let mut draft = Draft {
        description: Description::foreign("PyTorch", origin.modified),
        ids: Vec::new(),
        tensors: Vec::new(),
        ids_unknown: BTreeMap::new(),
    };
    let root = tree.root();
    let mut walk = Walk::new(tree, storages, limits, origin.weights_only);
    let Some(entries) = tree.dict(root) else {
        top(&mut draft, &mut walk, root)?;
        draft.tensors = walk.into_tensors();
        return Ok(named(draft));
    };
    if exported::is_export(tree, origin.weights_only)? {
        exported::draft(&mut draft, &mut walk, entries, limits)?;
        draft.tensors.extend(walk.into_tensors());
        return Ok(draft);
    }
    let mut taken = BTreeSet::new();
    if is_ours(tree, origin.weights_only)? {
        taken.extend(["version", "status"]);
        if let Some((ids_key, ids, data_key, data, kind, name)) = form(tree)? {
            draft.ids = ids::ids(tree, ids_key, ids, limits)?;
            draft.description.rows = RowRange::new(0, draft.ids.len() as u64);
            let rows = Rows { tree, storages, limits, key: data_key };
            draft.tensors.push(Entry::row(name, rows.plan(data, &draft.ids)?));
            draft.description.kind = kind.to_owned();
            taken.extend([ids_key, data_key]);
        }
    }
    rest(&mut draft, &mut walk, entries, &taken)?;
    draft.tensors.extend(walk.into_tensors());
    Ok(named(draft))
}

/// A top level that is not a dict has no name: its tensors are named by their places in it.
fn top(draft: &mut Draft, walk: &mut Walk<'_, '_>, root: Item) -> Result<(), ErrorKind> {
    let is_tensor = matches!(walk.tree.node_of(root), Some(Node::Tensor(_) | Node::Array(_)));
    match walk.value(if is_tensor { "tensor" } else { "" }, root)? {
        Some(Value::Map(map)) => draft.description.metadata = map,
        Some(value) => drop(draft.description.metadata.insert("value".to_owned(), value)),
        None => {}
    }
    Ok(())
}

/// Refuses metadata that no file of ours could hold.
fn check_depth(header: &Header) -> Result<(), ErrorKind> {
    let deep = header.metadata.iter().find(|(_, value)| !value.fits_depth(MAX_DEPTH - 2));
    match deep {
        None => Ok(()),
        Some((key, _)) => {
            let what = format!("metadata of more than 30 levels at `{}`", shown(key.as_bytes()));
            Err(ErrorKind::unsupported(what, "save flatter lists and dicts"))
        }
    }
}

/// Names the kind of a file without rows by its contents.
fn named(mut draft: Draft) -> Draft {
    if draft.description.kind.is_empty() {
        let kind = if draft.tensors.is_empty() { "values" } else { "weights" };
        draft.description.kind = kind.to_owned();
    }
    draft
}

/// Whether the top level is one of ours for certain: texts as ids, and something under the key of rows.
fn has_rows(tree: &Tree<'_>) -> Result<bool, ErrorKind> {
    for (ids_key, data_key, ..) in FORMS {
        let ids = entry(tree, tree.root(), ids_key)?.and_then(|ids| tree.sequence(ids));
        let are_texts = ids.is_some_and(|ids| ids.iter().all(|id| tree.is_str(*id)));
        if are_texts && entry(tree, tree.root(), data_key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

type Form<'f> = (&'f str, Item, &'f str, Item, &'f str, &'f str);

/// The form of the top level, where it is one with rows.
fn form(tree: &Tree<'_>) -> Result<Option<Form<'static>>, ErrorKind> {
    let find = |key| entry(tree, tree.root(), key);
    for (ids_key, data_key, kind, name) in FORMS {
        match (find(ids_key)?, find(data_key)?) {
            (Some(ids), Some(data)) => {
                return Ok(Some((ids_key, ids, data_key, data, kind, name)));
            }
            (Some(_), None) => return Err(ErrorKind::missing_field(data_key)),
            // By itself `data` may be anything, unless the file says that it is a checkpoint.
            (None, Some(_)) if data_key == "embeddings" => {
                return Err(ErrorKind::missing_field(ids_key));
            }
            (None, _) => {}
        }
    }
    if find("data")?.is_some() && find("version")?.is_some() {
        return Err(ErrorKind::missing_field(IDS));
    }
    Ok(None)
}
