//! The rows that belong to ids.

use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::read::torch::contents::floats::{fill, narrow};
use crate::read::torch::contents::ids::repeated;
use crate::read::torch::contents::lookup::{entry, plan_of};
use crate::read::torch::pickle::tree::{Item, Tree};
use crate::read::torch::shown::shown;
use crate::read::torch::storages::{Storages, View};
use crate::read::torch::tensors::{Plan, RowView};
use crate::tensor::Tensor;
use crate::tensor::block::Block;
use crate::tensor::cast::elements_of_mut;
use crate::tensor::dtype::Dtype;

/// The keys of a row that is a dict.
const LABEL: &str = "label";
const VALUES: &str = "mean_representation";

/// The rows under a key.
#[derive(Clone, Copy)]
pub(super) struct Rows<'r, 'p> {
    pub(super) tree: &'r Tree<'p>,
    pub(super) storages: &'r Storages,
    pub(super) limits: &'r Limits,
    pub(super) key: &'r str,
}

impl Rows<'_, '_> {
    /// One tensor of all rows, as many as there are ids.
    pub(super) fn plan(&self, item: Item, ids: &[String]) -> Result<Plan, ErrorKind> {
        if let Some(plan) = plan_of(self.tree, self.storages, item, self.limits)? {
            return Ok(plan);
        }
        let Some(items) = self.tree.sequence(item) else {
            return Err(self.bad("a tensor, or a list of rows", item));
        };
        let is_run = |item: &Item| matches!(item, Item::Floats { .. });
        if let Some(&float) = items.iter().find(|item| is_run(item)) {
            return Err(self.bad("rows", float));
        }
        if items.len() != ids.len() {
            let found = items.len().to_string();
            return Err(self.wrong("rows", format!("{}, one per id", ids.len()), found));
        }
        match items.first().zip(ids.first()).map(|(&item, id)| self.values(0, item, id)) {
            Some(Ok(Row::View(first))) => self.views(items, ids, first),
            Some(Err(error)) => Err(error),
            _ => self.floats(items, ids),
        }
    }

    /// What is in a row: its label is compared.
    fn values(&self, row: usize, item: Item, id: &str) -> Result<Row, ErrorKind> {
        let item = match self.tree.dict(item) {
            None => item,
            Some(entries) => {
                let Some(label) = entry(self.tree, item, LABEL)? else {
                    return Err(ErrorKind::missing_field(LABEL));
                };
                match self.tree.is_str(label) {
                    true if self.tree.is_text(label, id) => {}
                    true => {
                        let label = self.tree.text(label).unwrap_or_default();
                        let [id, label] = [id, label].map(|text| shown(text.as_bytes()));
                        let subject = format!("label of row {row}");
                        return Err(self.wrong(subject, format!("`{id}`"), format!("`{label}`")));
                    }
                    false => {
                        let found = self.tree.noun(label);
                        return Err(ErrorKind::bad_header(LABEL, "a text", found));
                    }
                }
                if entries.len() != 2 {
                    let remedy = "save rows of a label and a mean_representation";
                    let what = format!("a row with {} values", entries.len());
                    return Err(ErrorKind::unsupported(what, remedy));
                }
                entry(self.tree, item, VALUES)?.ok_or_else(|| ErrorKind::missing_field(VALUES))?
            }
        };
        match plan_of(self.tree, self.storages, item, self.limits)? {
            Some(Plan::View(view)) => Ok(Row::View(view)),
            Some(_) => {
                let remedy = "save the rows as one array";
                Err(ErrorKind::unsupported("a numpy array for each row", remedy))
            }
            None => self.width(item).map(|width| Row::Floats { item, width }),
        }
    }

    /// Number of floats in a list of floats.
    fn width(&self, item: Item) -> Result<u64, ErrorKind> {
        let Some(items) = self.tree.sequence(item) else {
            return Err(self.bad("a row of floats, or a tensor", item));
        };
        self.tree.budget.work(items.len())?;
        items.iter().try_fold(0_u64, |width, &item| match item {
            Item::Float(_) => Ok(width + 1),
            Item::Floats { count, .. } => Ok(width + u64::from(count)),
            other => Err(self.bad("a row of floats", other)),
        })
    }

    /// Rows that are tensors.
    fn views(&self, items: &[Item], ids: &[String], first: View) -> Result<Plan, ErrorKind> {
        let mut rows = self.room(items.len())?;
        for (number, (&item, id)) in items.iter().zip(ids).enumerate() {
            let Row::View(view) = self.values(number, item, id)? else {
                return Err(self.wrong(format!("row {number}"), "a tensor, as before", "floats"));
            };
            if (first.dtype, &first.shape) != (view.dtype, &view.shape) {
                let expected = format!("{} {:?}, as before", first.dtype, first.shape);
                let found = format!("{} {:?}", view.dtype, view.shape);
                return Err(self.wrong(format!("row {number}"), expected, found));
            }
            let View { storage, start, stride, .. } = view;
            rows.push(RowView { storage, start, stride: stride.map(Vec::into_boxed_slice) });
        }
        limits::check("tensor_rank", self.limits.tensor_rank, first.shape.len() + 1)?;
        Ok(Plan::Rows { dtype: first.dtype, row: first.shape, rows })
    }

    /// Rows that are lists of floats: 32 bits wide where none needs more.
    fn floats(&self, items: &[Item], ids: &[String]) -> Result<Plan, ErrorKind> {
        let mut lists = self.room(items.len())?;
        let mut width = None;
        for (number, (&item, id)) in items.iter().zip(ids).enumerate() {
            let Row::Floats { item, width: found } = self.values(number, item, id)? else {
                return Err(self.wrong(format!("row {number}"), "floats, as before", "a tensor"));
            };
            let expected = *width.get_or_insert(found);
            if expected != found {
                let (expected, found) = (format!("{expected} floats"), found.to_string());
                return Err(self.wrong(format!("row {number}"), expected, found));
            }
            lists.push(self.tree.sequence(item).unwrap_or_default());
        }
        let count = width.unwrap_or_default().saturating_mul(items.len() as u64);
        repeated(self.tree, count.saturating_mul(4), self.limits)?;
        // Both are there for a moment where 32 bits do not do.
        self.tree.budget.memory(count.saturating_mul(12))?;
        let shape = [items.len(), usize::try_from(width.unwrap_or_default()).unwrap_or(usize::MAX)];
        let mut block = self.zeroed(count, 4)?;
        let dtype = if fill(self.tree, &lists, elements_of_mut(block.bytes_mut()), narrow) {
            Dtype::F32
        } else {
            block = self.zeroed(count, 8)?;
            fill(self.tree, &lists, elements_of_mut(block.bytes_mut()), |value| (value, true));
            Dtype::F64
        };
        Tensor::from_block(dtype, shape.to_vec(), block).map(Plan::Ready)
    }

    /// A list with room for this many.
    fn room<T>(&self, count: usize) -> Result<Vec<T>, ErrorKind> {
        let mut room = Vec::new();
        let bytes = count.saturating_mul(size_of::<T>()) as u64;
        self.tree.budget.memory(bytes)?;
        let memory = |_| ErrorKind::out_of_memory(self.key, bytes);
        room.try_reserve_exact(count).map_err(memory)?;
        Ok(room)
    }

    fn zeroed(&self, count: u64, size: u64) -> Result<Block, ErrorKind> {
        Block::for_section(self.key, count.saturating_mul(size))
    }

    fn bad(&self, expected: &str, found: Item) -> ErrorKind {
        ErrorKind::bad_header(self.key, expected, self.tree.noun(found))
    }

    fn wrong(
        &self,
        subject: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> ErrorKind {
        let subject = format!("{} of `{}`", subject.into(), self.key);
        ErrorKind::inconsistent(subject, expected, found)
    }
}

/// What is in a row.
enum Row {
    View(View),
    Floats { item: Item, width: u64 },
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::read::torch::forged::*;

    fn row(label: &str, values: Vec<u8>) -> Vec<u8> {
        dict(&[("label", text(label)), ("mean_representation", values)])
    }

    fn nucleotide(ids: &[&str], rows: &[Vec<u8>]) -> Result<Checkpoint, ErrorKind> {
        load_value(
            &dict(&[("nucleotide", texts(ids)), ("data", list(rows))]),
            &[1.0, 2.0, 3.0, 4.0],
        )
    }

    #[test]
    fn floats_become_one_tensor() {
        let rows = [row("a", floats(&[1.0, -0.5])), row("b", floats(&[0.0, 2.0]))];
        let read = nucleotide(&["a", "b"], &rows).unwrap();
        assert_eq!((read.kind(), read.ids().len(), read.rows().len()), ("nucleotide", 2, 2));
        let embedding = read.tensor("embedding").unwrap();
        assert_eq!((embedding.shape(), embedding.dtype()), (&[2, 2][..], Dtype::F32));
        assert_eq!(embedding.as_f32().unwrap(), [1.0, -0.5, 0.0, 2.0]);
        // One of them needs 64 bits, and so all get them.
        let rows = [row("a", floats(&[1.0, 0.1])), row("b", list(&[float(f64::NAN), float(2.0)]))];
        let read = nucleotide(&["a", "b"], &rows).unwrap();
        let embedding = read.tensor("embedding").unwrap().as_f64().unwrap();
        assert_eq!(embedding[..2], [1.0, 0.1]);
        assert!(embedding[2].is_nan());
    }

    #[test]
    fn tensors_become_one_tensor() {
        let whole = || storage("0", "Float", 4, &[]);
        let rows = [view(whole(), 2, &[2], &[1]), view(whole(), 0, &[2], &[1])];
        let proteins = |rows: &[Vec<u8>]| {
            let value = dict(&[("proteins", texts(&["a", "b"])), ("data", list(rows))]);
            load_value(&value, &[1.0, 2.0, 3.0, 4.0])
        };
        let read = proteins(&rows).unwrap();
        assert_eq!(read.kind(), "protein");
        assert_eq!(read.tensor("embedding").unwrap().as_f32().unwrap(), [3.0, 4.0, 1.0, 2.0]);
        let strided = [view(whole(), 0, &[2], &[2]), view(whole(), 1, &[2], &[0])];
        let read = proteins(&strided).unwrap();
        assert_eq!(read.tensor("embedding").unwrap().as_f32().unwrap(), [1.0, 3.0, 2.0, 2.0]);
        let labelled = [row("a", rows[0].clone()), row("b", rows[1].clone())];
        let read = proteins(&labelled).unwrap();
        assert_eq!(read.tensor("embedding").unwrap().as_f32().unwrap(), [3.0, 4.0, 1.0, 2.0]);
        let widths = [view(whole(), 0, &[2], &[1]), view(whole(), 0, &[3], &[1])];
        let Err(ErrorKind::Inconsistent { subject, .. }) = proteins(&widths) else {
            panic!("two widths made one tensor")
        };
        assert_eq!(subject, "row 1 of `data`");
    }

    #[test]
    fn no_rows_at_all() {
        let read = nucleotide(&[], &[]).unwrap();
        assert_eq!(read.tensor("embedding").unwrap().shape(), [0, 0]);
    }

    #[track_caller]
    fn check_inconsistent(read: Result<Checkpoint, ErrorKind>, expected: [&str; 3]) {
        match read {
            Err(ErrorKind::Inconsistent { subject, expected: e, found, .. }) => {
                assert_eq!([subject.as_str(), e.as_str(), found.as_str()], expected);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_belong_to_ids() {
        let one = || row("a", floats(&[1.0, 2.0]));
        check_inconsistent(
            nucleotide(&["a", "b"], &[one()]),
            ["rows of `data`", "2, one per id", "1"],
        );
        check_inconsistent(
            nucleotide(&["b"], &[one()]),
            ["label of row 0 of `data`", "`b`", "`a`"],
        );
        check_inconsistent(
            nucleotide(&["a", "b"], &[one(), row("b", floats(&[1.0]))]),
            ["row 1 of `data`", "2 floats", "1"],
        );
        check_inconsistent(
            nucleotide(&["a", "b"], &[one(), row("b", tensor("0", &[4]))]),
            ["row 1 of `data`", "floats, as before", "a tensor"],
        );
        let merged = dict(&[("ids", texts(&["a"])), ("data", tensor("0", &[2, 2]))]);
        check_inconsistent(load_value(&merged, &[0.0; 4]), ["rows of tensor `data`", "1", "2"]);
    }

    #[track_caller]
    fn check_bad(value: &[u8], expected_field: &str, expected_found: &str) {
        match load_value(value, &[]) {
            Err(ErrorKind::BadHeader { field, found, .. }) => {
                assert_eq!((field.as_str(), found.as_str()), (expected_field, expected_found));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_id_and_no_row() {
        let ids = |ids: Vec<u8>| dict(&[("ids", ids), ("data", list(&[]))]);
        check_bad(&ids(text("a")), "ids", "a str");
        check_bad(&ids(list(&[int(1)])), "ids", "an int");
        check_bad(&ids(floats(&[1.0, 2.0])), "ids", "a float");
        let data = |data: Vec<u8>| dict(&[("ids", texts(&["a"])), ("data", data)]);
        check_bad(&data(int(1)), "data", "an int");
        check_bad(&data(floats(&[1.0, 2.0])), "data", "a float");
        check_bad(&data(list(&[int(1)])), "data", "an int");
        check_bad(&data(list(&[texts(&["x"])])), "data", "a str");
    }

    #[track_caller]
    fn check_missing(value: &[u8], expected: &str) {
        match load_value(value, &[0.0; 4]) {
            Err(ErrorKind::MissingField { field, .. }) => assert_eq!(field, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_key_of_a_pair() {
        check_missing(&dict(&[("nucleotide", texts(&["a"]))]), "data");
        check_missing(&dict(&[("proteins", texts(&["a"]))]), "data");
        check_missing(&dict(&[("ids", texts(&["a"]))]), "data");
        check_missing(&dict(&[("sequence_ids", texts(&["a"]))]), "embeddings");
        check_missing(&dict(&[("embeddings", tensor("0", &[4]))]), "sequence_ids");
        let version = ("version", text("1.0"));
        check_missing(&dict(&[("data", tensor("0", &[4])), version]), "ids");
        let row = dict(&[("mean_representation", floats(&[1.0]))]);
        check_missing(&dict(&[("nucleotide", texts(&["a"])), ("data", list(&[row]))]), "label");
    }
}
