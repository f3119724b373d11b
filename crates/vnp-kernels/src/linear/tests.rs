//! Layers of every kind, epilogue and size, compared with f64 and row by row.

use half::{bf16, f16};

use super::*;
use crate::testing::{cpus, gelu, random, worst};

struct Case {
    kind: LayerKind,
    epilogue: Epilogue,
    rows: usize,
    outputs: usize,
    inputs: usize,
    /// Whether weights are rounded to f16, as those of a file may be.
    halves: bool,
}

impl Case {
    fn layer(&self, cpu: Cpu, precision: Precision) -> Linear {
        let Case { kind, outputs, inputs, .. } = *self;
        let mut builder = LinearBuilder::new(cpu, precision, kind, outputs, inputs).unwrap();
        // In two parts, the second first.
        let (weight, bias) = (self.weight(), random(2, outputs));
        let first = outputs / 3;
        builder.rows(first, &weight[first * inputs..]).unwrap();
        builder.rows(0, &weight[..first * inputs]).unwrap();
        builder.bias(first, &bias[first..]).unwrap();
        builder.bias(0, &bias[..first]).unwrap();
        builder.build()
    }

    fn weight(&self) -> Vec<f32> {
        let scale = (3.0 / self.inputs as f32).sqrt();
        let weight = random(1, self.outputs * self.inputs).into_iter().map(|x| x * scale);
        weight.map(|x| if self.halves { f16::from_f32(x).to_f32() } else { x }).collect()
    }

    fn width(&self) -> usize {
        if self.kind == LayerKind::Glu { self.outputs / 2 } else { self.outputs }
    }

    fn x(&self) -> Vec<f32> {
        random(3, self.rows * self.inputs)
    }

    fn before(&self) -> Vec<f32> {
        random(4, self.rows * self.width())
    }

    fn forward(&self, layer: &Linear, scratch: &mut Scratch) -> Vec<f32> {
        let mut output = self.before();
        layer.forward(&self.x(), &mut output, self.epilogue, scratch).unwrap();
        output
    }

    /// The result in f64 for operands rounded by `round`.
    fn expected(&self, round: impl Fn(f32) -> f32) -> Vec<f64> {
        let to_f64 = |x: &[f32]| -> Vec<f64> { x.iter().map(|x| f64::from(round(*x))).collect() };
        let (x, weight) = (to_f64(&self.x()), to_f64(&self.weight()));
        let (bias, before) = (random(2, self.outputs), self.before());
        let mut output = Vec::new();
        for (row, x) in x.chunks(self.inputs).enumerate() {
            let sums: Vec<f64> = weight
                .chunks(self.inputs)
                .zip(&bias)
                .map(|(w, b)| f64::from(*b) + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>())
                .collect();
            let before = before.iter().skip(row * self.width());
            match (self.kind, self.epilogue) {
                (LayerKind::Glu, _) => {
                    let (gate, up) = sums.split_at(self.outputs / 2);
                    output.extend(gate.iter().zip(up).map(|(g, u)| gelu(*g) * u));
                }
                (_, Epilogue::Store) => output.extend(sums),
                (_, Epilogue::Gelu) => output.extend(sums.iter().map(|x| gelu(*x))),
                (_, Epilogue::Add) => {
                    output.extend(sums.iter().zip(before).map(|(x, b)| x + f64::from(*b)));
                }
            }
        }
        output
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rows, outputs, inputs) in [
        (1, 2, 1),
        (3, 33, 7),
        (12, 64, 32),
        (13, 96, 31),
        (33, 100, 641),
        (70, 32, 1300),
        (70, 66, 1300),
        (500, 34, 65),
    ] {
        for (epilogue, halves) in
            [(Epilogue::Store, true), (Epilogue::Gelu, false), (Epilogue::Add, false)]
        {
            cases.push(Case { kind: LayerKind::Plain, epilogue, rows, outputs, inputs, halves });
        }
        let outputs = outputs.next_multiple_of(2);
        for halves in [false, true] {
            let epilogue = Epilogue::Store;
            cases.push(Case { kind: LayerKind::Glu, epilogue, rows, outputs, inputs, halves });
        }
    }
    cases
}

/// Compared with f64, every kernel has the error of sums in f32.
#[test]
fn f32_is_f32_on_every_cpu() {
    for cpu in cpus() {
        let mut scratch = Scratch::default();
        let mut largest = 0.0_f64;
        for case in cases() {
            let found = case.forward(&case.layer(cpu, Precision::F32), &mut scratch);
            let worst = worst(&found, &case.expected(|x| x));
            assert!(worst < 4e-6, "{worst:e} on {} of {case:?}", cpu.name());
            largest = largest.max(worst);
        }
        println!("f32 on {}: {largest:.1e}", cpu.name());
    }
}

/// Compared with f64 on operands rounded to bf16: products are exact, sums are in f32. Fixed-point
/// numbers are compared with unrounded operands; `exactness` tests them further.
#[test]
fn bf16_rounds_its_operands_and_nothing_else() {
    for cpu in cpus().into_iter().filter(|cpu| cpu.has(Precision::Bf16)) {
        let is_fixed_point = cpu.name() == "avx512+vnni";
        let mut scratch = Scratch::default();
        for case in cases() {
            let found = case.forward(&case.layer(cpu, Precision::Bf16), &mut scratch);
            let round = |x| if is_fixed_point { x } else { bf16::from_f32(x).to_f32() };
            let worst = worst(&found, &case.expected(round));
            let bound = if is_fixed_point { 1e-3 } else { 4e-6 };
            assert!(worst < bound, "{worst:e} on {} of {case:?}", cpu.name());
        }
    }
}

/// A row alone has the same bits as among others, at any index.
#[test]
fn a_row_depends_on_itself_alone() {
    let cpus = cpus().into_iter().filter(|cpu| cpu.rows_are_independent());
    for (cpu, precision) in cpus.flat_map(|cpu| [(cpu, Precision::F32), (cpu, Precision::Bf16)]) {
        if !cpu.has(precision) {
            continue;
        }
        let case = Case {
            kind: LayerKind::Plain,
            epilogue: Epilogue::Gelu,
            rows: 501,
            outputs: 70,
            inputs: 1500,
            halves: true,
        };
        let layer = case.layer(cpu, precision);
        let mut scratch = Scratch::default();
        let together = case.forward(&layer, &mut scratch);
        for row in [0, 1, 11, 12, 31, 32, 479, 480, 500] {
            let mut alone = vec![0.0; 70];
            let x = &case.x()[row * 1500..(row + 1) * 1500];
            layer.forward(x, &mut alone, Epilogue::Gelu, &mut scratch).unwrap();
            assert_eq!(alone, together[row * 70..(row + 1) * 70], "row {row} on {}", cpu.name());
        }
    }
}

/// Many results are written past the caches.
#[test]
fn a_row_is_the_same_among_many() {
    let rows = 1100;
    for (kind, outputs) in
        [(LayerKind::Plain, 1024), (LayerKind::Plain, 1031), (LayerKind::Glu, 2062)]
    {
        let case =
            Case { kind, epilogue: Epilogue::Gelu, rows, outputs, inputs: 40, halves: false };
        for cpu in cpus().into_iter().filter(|cpu| cpu.rows_are_independent()) {
            let layer = case.layer(cpu, Precision::F32);
            let mut scratch = Scratch::default();
            let together = case.forward(&layer, &mut scratch);
            assert!(size_of_val(&together[..]) > 4 << 20, "too few to tell");
            let width = case.width();
            let together = together.chunks_exact(width);
            for (row, (x, expected)) in case.x().chunks_exact(40).zip(together).enumerate() {
                let mut alone = vec![0.0; width];
                layer.forward(x, &mut alone, Epilogue::Gelu, &mut scratch).unwrap();
                assert_eq!(alone, expected, "row {row} on {}", cpu.name());
            }
        }
    }
}

#[test]
fn nan_and_infinity_stay_in_their_row() {
    let precisions = [Precision::F32, Precision::Bf16];
    for (cpu, precision) in cpus().into_iter().flat_map(|cpu| precisions.map(|p| (cpu, p))) {
        if !cpu.has(precision) {
            continue;
        }
        let case = Case {
            kind: LayerKind::Plain,
            epilogue: Epilogue::Store,
            rows: 3,
            outputs: 40,
            inputs: 5,
            halves: false,
        };
        let layer = case.layer(cpu, precision);
        let mut x = case.x();
        (x[5], x[14]) = (f32::NAN, f32::INFINITY);
        let mut output = case.before();
        layer.forward(&x, &mut output, Epilogue::Store, &mut Scratch::default()).unwrap();
        assert!(output[..40].iter().all(|x| x.is_finite()), "{}", cpu.name());
        assert!(output[40..].iter().all(|x| !x.is_finite()), "{}", cpu.name());
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let new = |kind, outputs, inputs| {
        LinearBuilder::new(Cpu::portable(), Precision::F32, kind, outputs, inputs)
    };
    assert_eq!(new(LayerKind::Plain, 0, 1).err(), Some(Error::Shape { outputs: 0, inputs: 1 }));
    assert_eq!(new(LayerKind::Glu, 3, 1).err(), Some(Error::Shape { outputs: 3, inputs: 1 }));
    let bf16 = LinearBuilder::new(Cpu::portable(), Precision::Bf16, LayerKind::Plain, 1, 1);
    assert_eq!(bf16.err(), Some(Error::NoBf16 { cpu: Cpu::portable().name() }));
    let mut layer = new(LayerKind::Plain, 2, 3).unwrap();
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    assert_eq!(layer.rows(0, &[0.0; 4]), length("a row of weights", 0, 1));
    assert_eq!(layer.rows(1, &[0.0; 6]), length("a layer", 1, 2));
    assert_eq!(layer.bias(3, &[0.0]), length("a layer", 0, 1));
    let layer = layer.build();
    let forward =
        |x: &[f32], y: &mut [f32]| layer.forward(x, y, Epilogue::Store, &mut Scratch::default());
    assert_eq!(forward(&[0.0; 4], &mut [0.0; 2]), length("a row of inputs", 0, 1));
    assert_eq!(forward(&[0.0; 6], &mut [0.0; 2]), length("the output", 4, 2));
    assert_eq!(forward(&[], &mut []), Ok(()));
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, epilogue, rows, outputs, inputs, halves } = self;
        write!(f, "{kind:?} {epilogue:?}: {rows} rows, {outputs} x {inputs}, halves {halves}")
    }
}
