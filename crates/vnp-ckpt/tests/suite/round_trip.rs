//! What is saved is what is loaded, bit for bit.

use std::collections::BTreeMap;

use proptest::prelude::*;
use vnp_ckpt::half::{bf16, f16};
use vnp_ckpt::{Checkpoint, Encoding, RowRange, Status, Tensor, Value, Version};

use crate::support::{builder, decode, encode, map, sample};

#[track_caller]
fn check(checkpoint: &Checkpoint) {
    let bytes = encode(checkpoint);
    let read = decode(&bytes).unwrap();
    assert_eq!(&read, checkpoint);
    assert_eq!(encode(&read), bytes, "saving again gives the same file");
    assert_eq!(bytes.len() % 64, 0);
}

#[test]
fn everything() {
    check(&sample());
    check(&Checkpoint::builder("k").build().unwrap());
    check(&builder().status(Status::InProgress).build().unwrap());
    check(&Checkpoint::builder("k").rows(RowRange::new(7, 7)).build().unwrap());
}

#[test]
fn every_bit_of_a_float() {
    let patterns = [
        0x7fc00000, 0x7f800001, 0xffffffff, 0x7fa5a5a5, 0x80000000, 0x00000001, 0x807fffff,
        0x7f800000, 0xff800000,
    ];
    let floats: Vec<f32> = patterns.into_iter().map(f32::from_bits).collect();
    let checkpoint = Checkpoint::builder("k")
        .free_tensor("f32", Tensor::from_f32([9], floats).unwrap())
        .build()
        .unwrap();
    let read = decode(&encode(&checkpoint)).unwrap();
    let read = read.tensor("f32").unwrap().as_f32().unwrap();
    assert_eq!(read.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), patterns);
}

#[test]
fn every_half_and_bfloat() {
    let all = || 0..=u16::MAX;
    let halves = all().map(f16::from_bits).collect();
    let bfloats = all().map(bf16::from_bits).collect();
    let checkpoint = Checkpoint::builder("k")
        .free_tensor("f16", Tensor::from_f16([65536], halves).unwrap())
        .free_tensor("bf16", Tensor::from_bf16([256, 256], bfloats).unwrap())
        .build()
        .unwrap();
    let read = decode(&encode(&checkpoint)).unwrap();
    let halves = read.tensor("f16").unwrap().as_f16().unwrap();
    assert!(halves.iter().map(|value| value.to_bits()).eq(all()));
    let bfloats = read.tensor("bf16").unwrap().as_bf16().unwrap();
    assert!(bfloats.iter().map(|value| value.to_bits()).eq(all()));
}

#[test]
fn tensors_without_elements() {
    let none = |shape: &[usize]| Tensor::from_f32(shape, vec![]).unwrap();
    let checkpoint = Checkpoint::builder("k")
        .tensor("embedding", none(&[0, 768]))
        .free_tensor("nothing", none(&[3, 0]))
        .free_tensor("last", none(&[0]));
    check(&checkpoint.build().unwrap());
}

#[test]
fn ids_of_any_text() {
    let ids =
        ["", "\n", "\r\n", "a|b", "a\0b", "\u{feff}", "e\u{301}", "🧬", "a", "a", "\u{10ffff}"];
    let ids: Vec<String> =
        ids.into_iter().map(str::to_owned).chain(["x".repeat(1 << 20)]).collect();
    let rows = RowRange::new(0, ids.len() as u64);
    check(&Checkpoint::builder("k").rows(rows).ids(ids).build().unwrap());
}

#[test]
fn fields_of_later_patches_are_kept() {
    let inner = map([("a", Value::Null), ("b", vec![Value::from(1.5), Value::from(true)].into())]);
    let checkpoint = builder().unknown("zeta", inner.clone()).unknown("alpha", 7).build().unwrap();
    let read = decode(&encode(&checkpoint)).unwrap();
    assert_eq!(read.unknown()["zeta"].as_map(), Some(&inner));
    check(&read);
}

#[test]
fn a_header_says_where_everything_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    vnp_ckpt::atomic_save(&path, &sample()).unwrap();
    let header = vnp_ckpt::read_header(&path, &vnp_ckpt::Limits::default()).unwrap();
    assert_eq!(header.version, Version::CURRENT);
    assert_eq!((header.rows, header.status), (RowRange::new(8, 11), Status::Complete));
    assert_eq!(header.metadata, *sample().metadata());
    let names: Vec<_> = header.sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["ids", "embedding", "status"]);
    let Encoding::Tensor { shape, per_row: true, .. } = &header.sections[1].encoding else {
        panic!("{:?}", header.sections[1])
    };
    assert_eq!(*shape, [3, 2]);
    let bytes = fs_err::read(&path).unwrap();
    let section = &header.sections[2];
    assert_eq!(bytes[section.offset as usize..][..section.length as usize], [0, 1, 2]);
    assert_eq!(vnp_ckpt::verify_digests(&path, &Default::default()).unwrap(), header);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        any::<String>().prop_map(Value::String),
        any::<Vec<u8>>().prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_checkpoint(
        ids in prop::collection::vec(any::<String>(), 0..20),
        width in 0_usize..5,
        bits in any::<u32>(),
        start in 0..(1_u64 << 62),
        metadata in prop::collection::btree_map(any::<String>(), value(), 0..4),
    ) {
        let rows = ids.len();
        let values = (0..rows * width).map(|i| f32::from_bits(bits.wrapping_mul(i as u32))).collect();
        let metadata: BTreeMap<String, Value> = metadata;
        let mut builder = Checkpoint::builder("k")
            .rows(RowRange::new(start, start + rows as u64))
            .ids(ids)
            .tensor("t", Tensor::from_f32([rows, width], values).unwrap());
        for (key, value) in metadata {
            builder = builder.metadata(key, value);
        }
        check(&builder.build().unwrap());
    }
}
