//! What a checkpoint must hold to be of use.

use vnp_ckpt::Dtype;

/// The kind and the row tensors that a checkpoint must have; it may have more.
///
/// ```
/// use vnp_ckpt::Dtype;
/// use vnp_validate::{Schema, TensorRule};
///
/// let schema = Schema::new("nucleotide")
///     .tensor(TensorRule::new("embedding").dtype(Dtype::F32).trailing([768]));
/// assert_eq!(schema.tensors[0].trailing.as_deref(), Some(&[768][..]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The kind.
    pub kind: String,
    /// The tensors.
    pub tensors: Vec<TensorRule>,
}

impl Schema {
    /// A schema for this kind, without tensors so far.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), tensors: Vec::new() }
    }

    /// Adds a tensor that must be there.
    #[must_use]
    pub fn tensor(mut self, rule: TensorRule) -> Self {
        self.tensors.push(rule);
        self
    }
}

/// A row tensor that must be there: `[rows, trailing...]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorRule {
    /// Its name.
    pub name: String,
    /// The type of its elements; `None` for any.
    pub dtype: Option<Dtype>,
    /// Its dimensions after the rows; `None` for any.
    pub trailing: Option<Vec<usize>>,
    /// Whether every value must be finite. Without this, values that are not are none of this
    /// tensor's findings: the scores of rows that failed, say.
    pub finite: bool,
}

impl TensorRule {
    /// A tensor of this name, of any type and shape, all values finite.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), dtype: None, trailing: None, finite: true }
    }

    /// Asks for this element type.
    #[must_use]
    pub fn dtype(mut self, dtype: Dtype) -> Self {
        self.dtype = Some(dtype);
        self
    }

    /// Asks for these dimensions after the rows.
    #[must_use]
    pub fn trailing(mut self, shape: impl Into<Vec<usize>>) -> Self {
        self.trailing = Some(shape.into());
        self
    }

    /// Allows NaN and infinities.
    #[must_use]
    pub fn allow_non_finite(mut self) -> Self {
        self.finite = false;
        self
    }
}
