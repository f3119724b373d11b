//! Checkpoints of everything that an export must not lose.

use std::path::PathBuf;

use fs_err as fs;
use vnp_ckpt::half::{bf16, f16};
use vnp_ckpt::{
    Checkpoint, Dtype, Format, Limits, RowRange, Status, Tensor, Value, load_with_compatibility,
};

use crate::support::{builder, fixtures, map, name, sample};

/// Every bit pattern that is special, in each of the types.
pub(crate) fn every_dtype() -> Vec<(Dtype, Tensor)> {
    let singles = [0x7fc0_0000, 0x7f80_0001, 0xffff_ffff, 0x8000_0000, 1, 0xff80_0000];
    let doubles = [0x7ff8 << 48, 0xfff0_0000_0000_0001, 1 << 63, 1, 0x7ff0 << 48, u64::MAX];
    let halves = [0x7e00_u16, 0x7c01, 0xffff, 0x8000, 1, 0xfc00];
    let tensors = [
        Tensor::from_f32([3, 2], singles.map(f32::from_bits).to_vec()),
        Tensor::from_f16([3, 2], halves.map(f16::from_bits).to_vec()),
        Tensor::from_bf16([3, 2], halves.map(bf16::from_bits).to_vec()),
        Tensor::from_f64([3, 2], doubles.map(f64::from_bits).to_vec()),
        Tensor::from_i64([3, 2], vec![i64::MIN, -1, 0, 1, 1 << 40, i64::MAX]),
        Tensor::from_i32([3, 2], vec![i32::MIN, -1, 0, 1, 1 << 20, i32::MAX]),
        Tensor::from_i16([3, 2], vec![i16::MIN, -1, 0, 1, 1 << 10, i16::MAX]),
        Tensor::from_i8([3, 2], vec![i8::MIN, -1, 0, 1, 2, i8::MAX]),
        Tensor::from_u8([3, 2], vec![0, 1, 2, 127, 128, 255]),
        Tensor::from_bool([3, 2], vec![false, true, true, false, true, false]),
    ];
    tensors.map(Result::unwrap).into_iter().map(|tensor| (tensor.dtype(), tensor)).collect()
}

/// Checkpoints of every form, by the name of their file.
pub(crate) fn cases() -> Vec<(String, Checkpoint)> {
    let of = |kind: &str| {
        Checkpoint::builder(kind)
            .rows(RowRange::new(7, 10))
            .ids(vec!["read1_chunk_1F1".into(), "".into(), "a|\n\0🧬".into()])
            .created("2026-01-31T23:59:59Z".into())
    };
    let long = (0..3 * 2345).map(|number| number as f32 / 7.0).collect();
    let long = Tensor::from_f32([3, 2345], long).unwrap();
    let status = Tensor::from_u8([3], vec![0, 1, 0]).unwrap();
    let frame = Tensor::from_i64([3], vec![i64::MIN, 0, i64::MAX]).unwrap();
    let number = Tensor::from_f64([], vec![0.5]).unwrap();
    let none = |shape: &[usize]| Tensor::from_f32(shape, vec![]).unwrap();
    let everything = every_dtype();
    let singles = everything[0].1.clone();
    let nested =
        map([("", Value::Null), ("list", vec![Value::from(1), Value::List(vec![])].into())]);
    let numbers = [0, 255, 256, 65535, 65536, -1, i64::from(i32::MAX) + 1, i64::MIN, i64::MAX];
    let floats = [0.1, -0.0, f64::INFINITY, f64::from_bits(0x7ff8_0000_0000_1234)];
    let named = [
        ("none", Checkpoint::builder("k")),
        ("output_0_DNABERT_S", of("nucleotide").tensor("embedding", long.clone())),
        (
            "part.of.a.run",
            of("nucleotide")
                .tensor("status", status.clone())
                .tensor("embedding", singles.clone())
                .tensor("frame", frame)
                .metadata("identity", nested.clone())
                .status(Status::InProgress),
        ),
        ("no-embedding", of("nucleotide").tensor("embedding", everything[1].1.clone())),
        ("output_0_ESM", of("protein").tensor("embedding", long.clone()).tensor("status", status)),
        (
            "one-number",
            of("protein").tensor("embedding", Tensor::from_u8([3], vec![1; 3]).unwrap()),
        ),
        ("output_0_merged", of("merged").tensor("data", long)),
        (
            "names",
            of("weights")
                .free_tensor("version", number.clone())
                .free_tensor("vnp", number.clone())
                .free_tensor("status", none(&[3, 0, 5]))
                .free_tensor("🧬\0", none(&[0]))
                .free_tensor("number", number)
                .free_tensor(
                    "deep",
                    Tensor::from_u8([1, 1, 1, 2, 1, 1, 1, 2], vec![1, 2, 3, 4]).unwrap(),
                ),
        ),
        (
            "metadata",
            builder()
                .metadata("numbers", numbers.map(Value::Int).to_vec())
                .metadata("floats", floats.map(Value::Float).to_vec())
                .metadata("bytes", (0..=255).collect::<Vec<u8>>())
                .metadata("no bytes", Vec::<u8>::new())
                .metadata("text", "Grüße | 🧬\n\0")
                .metadata("truth", vec![Value::from(true), false.into(), Value::Null])
                .metadata("many", (0..2500).map(Value::from).collect::<Vec<_>>())
                .metadata("nested", nested)
                .unknown("later", 1),
        ),
    ];
    let mut cases: Vec<_> = named.into_iter().map(|(name, case)| (name.to_owned(), case)).collect();
    for kind in ["nucleotide", "protein"] {
        for shape in [[0, 768], [0, 0], [3, 0]] {
            let rows = if shape[0] == 0 { RowRange::new(5, 5) } else { RowRange::new(7, 10) };
            let ids = vec!["x".to_owned(); shape[0]];
            let case = of(kind).rows(rows).ids(ids).tensor("embedding", none(&shape));
            cases.push((format!("{kind}-{}-{}", shape[0], shape[1]), case));
        }
    }
    for (dtype, tensor) in everything {
        let case = of("protein").tensor("embedding", tensor.clone()).free_tensor("f", tensor);
        cases.push((format!("protein-{dtype}"), case));
    }
    let built = cases.into_iter().map(|(name, case)| (name, case.build().unwrap()));
    built.chain([("sample".to_owned(), sample())]).collect()
}

/// The native fixtures of the current version, by their names.
pub(crate) fn native_fixtures() -> Vec<(String, Checkpoint)> {
    let entries = fs::read_dir(fixtures().join("v1.0")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| Format::of_path(path) == Some(Format::Native));
    let load = |path: &PathBuf| load_with_compatibility(path, &Limits::default()).unwrap();
    paths.iter().map(|path| (name(path), load(path))).collect()
}
