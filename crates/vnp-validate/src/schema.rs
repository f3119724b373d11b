//! Schemas: the kind and tensors that a use of a checkpoint requires.

use vnp_ckpt::Dtype;

/// The kind and the row tensors that a checkpoint must have; it may have other tensors too.
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
    /// A schema for this kind, without tensors.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), tensors: Vec::new() }
    }

    /// Adds a required tensor.
    #[must_use]
    pub fn tensor(mut self, rule: TensorRule) -> Self {
        self.tensors.push(rule);
        self
    }
}

/// A required row tensor: `[rows, trailing...]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorRule {
    /// Its name.
    pub name: String,
    /// The type of its elements; `None` for any.
    pub dtype: Option<Dtype>,
    /// Its dimensions after the rows; `None` for any.
    pub trailing: Option<Vec<usize>>,
    /// Whether every value must be finite. The scores of failed rows, for example, need not be.
    pub finite: bool,
}

impl TensorRule {
    /// A tensor of this name, of any type and shape, all values finite.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), dtype: None, trailing: None, finite: true }
    }

    /// Requires this element type.
    #[must_use]
    pub fn dtype(mut self, dtype: Dtype) -> Self {
        self.dtype = Some(dtype);
        self
    }

    /// Requires these dimensions after the rows.
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
