//! The layout of a layer's outputs in panels of columns.

use super::lanes::LANES;
use super::tile::COLUMNS;
use crate::epilogue::LayerKind;

/// The panels of a layer. In a gated layer the first half of each panel is gates and the second half
/// their values, so that both operands of a gate come out of one tile.
#[derive(Clone, Copy)]
pub(crate) struct PanelLayout {
    kind: LayerKind,
    outputs: usize,
    pub(super) panels: usize,
}

impl PanelLayout {
    pub(super) fn new(kind: LayerKind, outputs: usize) -> Self {
        let panels = match kind {
            LayerKind::Plain => outputs.div_ceil(COLUMNS),
            LayerKind::Glu => (outputs / 2).div_ceil(LANES),
        };
        Self { kind, outputs, panels }
    }

    /// The number of packed columns, with padding.
    pub(super) fn columns(self) -> usize {
        self.panels * COLUMNS
    }

    /// The packed column of an output.
    pub(super) fn column(self, output: usize) -> usize {
        let half = self.outputs / 2;
        let (first, output) = match self.kind {
            LayerKind::Plain => return output,
            LayerKind::Glu if output < half => (0, output),
            LayerKind::Glu => (LANES, output - half),
        };
        output / LANES * COLUMNS + first + output % LANES
    }
}
