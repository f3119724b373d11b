//! Building a checkpoint that cannot contradict itself.

use std::collections::BTreeMap;
use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::header::{Encoding, Header, IDS, Producer, Section, Status, decode, layout};
use crate::limits::Limits;
use crate::rows::RowRange;
use crate::tensor::Tensor;
use crate::tensor::dtype::Dtype;
use crate::value::MAX_DEPTH;
use crate::value::Value;
use crate::version::Version;
use crate::write::writer::CheckpointWriter;

/// The fields of a header that this version knows.
const KNOWN: [&str; 8] =
    ["version", "status", "kind", "rows", "created", "producer", "sections", "metadata"];

/// Collects the parts of a checkpoint; [`build`](Self::build) checks them.
///
/// By default a checkpoint has no rows, is complete, and was created now, by this crate.
///
/// ```
/// use vnp_ckpt::{Checkpoint, Error, ErrorKind, RowRange, Tensor};
///
/// let built = Checkpoint::builder("scores")
///     .rows(RowRange::new(0, 3))
///     .ids(vec!["a".into(), "b".into(), "c".into()])
///     .tensor("score", Tensor::from_f32([2, 2], vec![0.0; 4])?)
///     .build();
/// let Err(ErrorKind::Inconsistent { expected, found, .. }) = built.map_err(Error::into_kind) else {
///     panic!("two rows for three ids")
/// };
/// assert_eq!((expected.as_str(), found.as_str()), ("3", "2"));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct CheckpointBuilder {
    status: Status,
    kind: String,
    rows: RowRange,
    created: Option<String>,
    producer: Producer,
    metadata: BTreeMap<String, Value>,
    unknown: BTreeMap<String, Value>,
    ids: Vec<String>,
    tensors: Vec<(String, Source)>,
}

/// The checked parts of a checkpoint.
struct Parts {
    header: Header,
    ids: Vec<String>,
    /// One for each section after the ids; `None` for one that is streamed.
    tensors: Vec<Option<Tensor>>,
}

/// Where a tensor's values come from.
#[derive(Clone, Debug)]
enum Source {
    /// They are here.
    Whole { per_row: bool, tensor: Tensor },
    /// They come later, a piece at a time.
    Streamed { dtype: Dtype, row_shape: Vec<usize> },
}

impl Checkpoint {
    /// Starts a checkpoint whose rows are of this kind: `nucleotide`, `protein`, `scores`.
    pub fn builder(kind: impl Into<String>) -> CheckpointBuilder {
        CheckpointBuilder::new(kind.into())
    }
}

impl CheckpointBuilder {
    fn new(kind: String) -> Self {
        Self {
            status: Status::default(),
            kind,
            rows: RowRange::default(),
            created: None,
            producer: Producer::default(),
            metadata: BTreeMap::new(),
            unknown: BTreeMap::new(),
            ids: Vec::new(),
            tensors: Vec::new(),
        }
    }

    /// Which rows of the stage these are; by default none.
    pub fn rows(mut self, rows: RowRange) -> Self {
        self.rows = rows;
        self
    }

    /// The ids, one per row, in order.
    pub fn ids(mut self, ids: Vec<String>) -> Self {
        self.ids = ids;
        self
    }

    /// Adds a row tensor `[rows, ...]`: its first dimension is the number of rows.
    pub fn tensor(mut self, name: impl Into<String>, tensor: Tensor) -> Self {
        self.tensors.push((name.into(), Source::Whole { per_row: true, tensor }));
        self
    }

    /// Adds a tensor of any shape that has nothing to do with the rows: weights, say.
    pub fn free_tensor(mut self, name: impl Into<String>, tensor: Tensor) -> Self {
        self.tensors.push((name.into(), Source::Whole { per_row: false, tensor }));
        self
    }

    /// Announces a row tensor whose values do not fit into memory: `row_shape` is that of one
    /// row, `[2560]` for a tensor `[rows, 2560]`. For [`create`](Self::create) only.
    pub fn streamed_tensor(
        mut self,
        name: impl Into<String>,
        dtype: Dtype,
        row_shape: impl Into<Vec<usize>>,
    ) -> Self {
        let row_shape = row_shape.into();
        self.tensors.push((name.into(), Source::Streamed { dtype, row_shape }));
        self
    }

    /// Sets one value of the metadata; the last one of a key holds.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Adds a header field that this version of the format does not know, for a tool that
    /// preserves fields of its input.
    pub fn unknown(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.unknown.insert(key.into(), value.into());
        self
    }

    /// When it is written, RFC 3339 in UTC (`2026-01-31T23:59:59Z`); by default now.
    pub fn created(mut self, created: String) -> Self {
        self.created = Some(created);
        self
    }

    /// The program that writes it; by default this crate.
    pub fn producer(mut self, producer: Producer) -> Self {
        self.producer = producer;
        self
    }

    /// Whether all rows are there; by default they are.
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// The checkpoint.
    ///
    /// # Errors
    /// [`ErrorKind::Inconsistent`] for an empty kind, a malformed time, a range that ends before it
    /// starts, another number of ids than rows, a row tensor whose first dimension is another, an
    /// empty name or one that is there twice, an unknown field that is known, metadata nested
    /// deeper than 30 levels, a streamed tensor; [`ErrorKind::LimitExceeded`] for what the default
    /// [`Limits`] would refuse to read.
    pub fn build(self) -> Result<Checkpoint, Error> {
        let Parts { header, ids, tensors } = self.into_parts()?;
        let names = header.sections.iter().skip(1).map(|section| section.name.as_str());
        let whole = names.zip(tensors).map(|(name, tensor)| {
            let found = "one that is streamed, for `create`";
            let missing =
                || ErrorKind::inconsistent(format!("tensor `{name}`"), "its values", found);
            tensor.ok_or_else(missing)
        });
        let tensors = whole.collect::<Result<_, _>>()?;
        Ok(Checkpoint::from_parts(header, ids, tensors))
    }

    /// Starts to write the checkpoint to `path`: everything that is here goes out at once, the
    /// rows of the [streamed](Self::streamed_tensor) tensors are appended to the writer.
    ///
    /// # Errors
    /// As [`build`](Self::build), streamed tensors being allowed, and as
    /// [`atomic_save`](crate::atomic_save).
    pub fn create(self, path: &Path) -> Result<CheckpointWriter, Error> {
        let Parts { header, ids, tensors } = self.into_parts()?;
        let tensors = tensors.iter().map(Option::as_ref);
        CheckpointWriter::create(path, &header, &ids, tensors)
    }

    /// Header, ids and tensors, checked against each other.
    fn into_parts(self) -> Result<Parts, ErrorKind> {
        let ids = Encoding::Strings { count: self.ids.len() as u64 };
        let mut sections = vec![section(IDS.to_owned(), ids)];
        let mut tensors = Vec::with_capacity(self.tensors.len());
        for (name, source) in self.tensors {
            let (dtype, shape, per_row, tensor) = match source {
                Source::Whole { per_row, tensor } => {
                    (tensor.dtype(), tensor.shape().to_vec(), per_row, Some(tensor))
                }
                Source::Streamed { dtype, row_shape } => {
                    let rows = usize::try_from(self.rows.len()).unwrap_or(usize::MAX);
                    (dtype, [vec![rows], row_shape].concat(), true, None)
                }
            };
            sections.push(section(name, Encoding::Tensor { dtype, shape, per_row }));
            tensors.push(tensor);
        }
        let header = Header {
            version: Version::CURRENT,
            status: self.status,
            kind: self.kind,
            rows: self.rows,
            created: self.created.unwrap_or_else(now),
            producer: self.producer,
            sections,
            metadata: self.metadata,
            unknown: self.unknown,
            producer_unknown: BTreeMap::new(),
        };
        decode::check_words(&header)?;
        check_values(&header)?;
        layout::check_contents(&header, &Limits::default())?;
        Ok(Parts { header, ids: self.ids, tensors })
    }
}

fn section(name: String, encoding: Encoding) -> Section {
    let (digest, unknown) = (Digest::default(), BTreeMap::new());
    Section { name, encoding, offset: 0, length: 0, digest, unknown }
}

/// The time now, to the second.
fn now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

/// Checks that a header's metadata and unknown fields can be written.
pub(crate) fn check_values(header: &Header) -> Result<(), ErrorKind> {
    if let Some(known) = KNOWN.into_iter().find(|&known| header.unknown.contains_key(known)) {
        let expected = "a name that is not taken";
        return Err(ErrorKind::inconsistent("unknown field", expected, known));
    }
    // The header is the first level and its metadata the second.
    for (place, values, levels) in [
        ("metadata", &header.metadata, MAX_DEPTH - 2),
        ("unknown field", &header.unknown, MAX_DEPTH - 1),
    ] {
        if let Some((key, _)) = values.iter().find(|(_, value)| !value.fits_depth(levels)) {
            let expected = format!("at most {levels} levels of lists and maps");
            return Err(ErrorKind::inconsistent(format!("{place} `{key}`"), expected, "more"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(rows: usize) -> Tensor {
        Tensor::from_u8([rows, 2], vec![7; rows * 2]).unwrap()
    }

    fn two_rows() -> CheckpointBuilder {
        Checkpoint::builder("k").rows(RowRange::new(5, 7)).ids(vec!["a".into(), "b".into()])
    }

    #[track_caller]
    fn check_refused(builder: CheckpointBuilder, subject: &str, expected: &str, found: &str) {
        match builder.build().map_err(Error::into_kind) {
            Err(ErrorKind::Inconsistent { subject: s, expected: e, found: f }) => {
                assert_eq!((s.as_str(), e.as_str(), f.as_str()), (subject, expected, found));
            }
            other => panic!("{other:?}"),
        }
    }

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Null, |inner, _| Value::List(vec![inner]))
    }

    #[test]
    fn inconsistent_checkpoints_are_not_built() {
        let three = vec![String::new(); 3];
        check_refused(two_rows().ids(three), "ids", "2, one per row", "3");
        check_refused(two_rows().tensor("t", bytes(3)), "rows of tensor `t`", "2", "3");
        let number = Tensor::from_f32([], vec![1.0]).unwrap();
        check_refused(two_rows().tensor("t", number), "rows of tensor `t`", "2", "no dimension");
        check_refused(two_rows().tensor("", bytes(2)), "name of section 1", "a text", "nothing");
        let twice = two_rows().tensor("t", bytes(2)).tensor("t", bytes(2));
        check_refused(twice, "sections named `t`", "1", "more than 1");
        let free = two_rows().tensor("t", bytes(2)).free_tensor("t", bytes(9));
        check_refused(free, "sections named `t`", "1", "more than 1");
        let ids = two_rows().tensor("ids", bytes(2));
        check_refused(ids, "sections named `ids`", "1", "more than 1");
        check_refused(Checkpoint::builder(""), "kind", "a word", "``");
        let reversed = Checkpoint::builder("k").rows(RowRange::new(2, 1));
        check_refused(reversed, "rows", "an end not before the start", "`2..1`");
        let known = two_rows().unknown("status", 1);
        check_refused(known, "unknown field", "a name that is not taken", "status");
    }

    #[track_caller]
    fn check_created(created: &str, expected: bool) {
        assert_eq!(two_rows().created(created.to_owned()).build().is_ok(), expected, "{created}");
    }

    #[test]
    fn times_are_in_utc() {
        check_created("2026-01-31T23:59:59Z", true);
        check_created("2026-01-31T23:59:59.123Z", true);
        check_created("2026-01-31T23:59:59+01:00", false);
        check_created("2026-02-31T23:59:59Z", false);
        check_created("2026-01-31", false);
        check_created("Z", false);
        check_created("", false);
        let now = two_rows().build().unwrap();
        assert_eq!(now.created().len(), "2026-01-31T23:59:59Z".len());
    }

    #[test]
    fn depth_is_refused_before_it_is_written() {
        let deepest = two_rows().metadata("k", nested(MAX_DEPTH - 2));
        assert!(deepest.build().is_ok());
        let deeper = two_rows().metadata("k", nested(MAX_DEPTH - 1));
        check_refused(deeper, "metadata `k`", "at most 30 levels of lists and maps", "more");
        let deeper = two_rows().unknown("k", nested(MAX_DEPTH));
        check_refused(deeper, "unknown field `k`", "at most 31 levels of lists and maps", "more");
    }

    #[test]
    fn free_tensors_have_any_shape() {
        let number = Tensor::from_f32([], vec![1.0]).unwrap();
        let built = two_rows().free_tensor("bias", bytes(9)).free_tensor("n", number).build();
        let names: Vec<_> = built.unwrap().tensors().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names, ["bias", "n"]);
    }
}
