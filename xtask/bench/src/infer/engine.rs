//! The engines that our encoders are compared with, and the targets for each.

use std::str::FromStr;

use anyhow::{Result, bail};
use vnp_infer::Precision;

use super::shape::Shape;

/// An engine of the Python side, at one precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    pub(crate) precision: Precision,
    is_dnabert: bool,
}

const fn engine(name: &'static str, precision: Precision, is_dnabert: bool) -> Engine {
    Engine { name, precision, is_dnabert }
}

/// `fair` is fair-esm, what the original runs; `hf` transformers; `ov` OpenVINO; `mosaic` a network
/// of DNABERT's shape in PyTorch, one sequence at a time as the original does, or 16.
const ENGINES: [Engine; 10] = [
    engine("fair-fp32", Precision::F32, false),
    engine("hf-sdpa-fp32", Precision::F32, false),
    engine("ov-fp32", Precision::F32, false),
    engine("fair-bf16", Precision::Bf16, false),
    engine("hf-sdpa-bf16", Precision::Bf16, false),
    engine("ov-bf16", Precision::Bf16, false),
    engine("mosaic-b1-fp32", Precision::F32, true),
    engine("mosaic-b16-fp32", Precision::F32, true),
    engine("mosaic-b1-bf16", Precision::Bf16, true),
    engine("mosaic-b16-bf16", Precision::Bf16, true),
];

impl Engine {
    /// The engines for a shape that are among the wanted ones, in groups of one precision each:
    /// together they might not fit into memory.
    pub(crate) fn groups(shape: Shape, wanted: Option<&[Self]>) -> Vec<Vec<Self>> {
        let fits = |engine: &Self| {
            engine.is_dnabert == (shape == Shape::Dnabert)
                && wanted.is_none_or(|wanted| wanted.contains(engine))
        };
        let group = |precision| {
            ENGINES.into_iter().filter(move |e| e.precision == precision && fits(e)).collect()
        };
        let groups = [Precision::F32, Precision::Bf16].map(group);
        groups.into_iter().filter(|group: &Vec<Self>| !group.is_empty()).collect()
    }

    /// How many times the engine's speed ours, at a precision, is meant to have.
    pub(crate) fn target(self, shape: Shape, ours: Precision) -> Option<f64> {
        match (shape, ours, self.name) {
            (Shape::T30 | Shape::T33, Precision::F32, "fair-fp32")
            | (Shape::Dnabert, Precision::F32, "mosaic-b1-fp32") => Some(2.5),
            (Shape::T30 | Shape::T33, Precision::F32, "ov-fp32") => Some(1.0),
            (Shape::T30 | Shape::T33, Precision::Bf16, "fair-fp32") => Some(4.5),
            _ => None,
        }
    }
}

impl FromStr for Engine {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match ENGINES.into_iter().find(|engine| engine.name == text) {
            Some(engine) => Ok(engine),
            None => bail!("no such engine: {text}, only {}", ENGINES.map(|e| e.name).join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shape: Shape, wanted: Option<&str>, expected: &str) {
        let wanted: Option<Vec<Engine>> =
            wanted.map(|names| names.split(' ').map(|name| name.parse().unwrap()).collect());
        let groups = Engine::groups(shape, wanted.as_deref());
        let names: Vec<String> = groups
            .iter()
            .map(|group| group.iter().map(|e| e.name).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(names.join(" | "), expected);
    }

    #[test]
    fn engines_fit_their_shape_and_are_grouped() {
        check(Shape::T6, None, "fair-fp32 hf-sdpa-fp32 ov-fp32 | fair-bf16 hf-sdpa-bf16 ov-bf16");
        check(Shape::T6, Some("ov-bf16 mosaic-b1-fp32"), "ov-bf16");
        check(Shape::Dnabert, Some("ov-bf16 mosaic-b1-fp32"), "mosaic-b1-fp32");
        check(Shape::Dnabert, Some("ov-bf16"), "");
    }

    #[test]
    fn targets_are_for_what_they_were_set_for() {
        let fair: Engine = "fair-fp32".parse().unwrap();
        assert_eq!(fair.target(Shape::T33, Precision::F32), Some(2.5));
        assert_eq!(fair.target(Shape::T33, Precision::Bf16), Some(4.5));
        assert_eq!(fair.target(Shape::T6, Precision::F32), None);
    }
}
