//! The epilogue of a linear layer: what happens to its sums before they are written.

/// The kind of a linear layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    /// Every output is a result.
    Plain,
    /// A gated linear unit: the outputs are `[gate | value]`, of which `gelu(gate) * value`, half as
    /// wide, is the result.
    Glu,
}

/// What a plain layer does with its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epilogue {
    /// Stores them.
    Store,
    /// Stores their GELU, in its exact form.
    Gelu,
    /// Adds them to the destination: the residual.
    Add,
}

/// What a layer of either kind does with its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Store,
    Gelu,
    Add,
    /// Stores `gelu(gate) * value`.
    Glu,
}

impl Step {
    pub(crate) fn new(kind: LayerKind, epilogue: Epilogue) -> Self {
        match (kind, epilogue) {
            (LayerKind::Glu, _) => Self::Glu,
            (LayerKind::Plain, Epilogue::Store) => Self::Store,
            (LayerKind::Plain, Epilogue::Gelu) => Self::Gelu,
            (LayerKind::Plain, Epilogue::Add) => Self::Add,
        }
    }
}

/// The destination of a product.
pub(crate) struct Destination<'a> {
    /// `[rows, width]`
    pub(crate) output: &'a mut [f32],
    pub(crate) width: usize,
    /// One per packed column.
    pub(crate) bias: &'a [f32],
    pub(crate) step: Step,
}
