//! Native files: `cargo bench -p vnp-ckpt --bench native`.

#![expect(clippy::expect_used, reason = "a bench reports to no caller")]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vnp_ckpt::{
    Checkpoint, Limits, RowRange, Tensor, atomic_save, load_with_compatibility, read_header,
    verify_digests,
};

const ROWS: usize = 2_000;
const WIDTH: usize = 3_328;

/// A checkpoint `[2000, 3328]` with ids, 27 MB.
fn checkpoint() -> Checkpoint {
    let values = (0..ROWS * WIDTH).map(|place| (place % 8191) as f32 / 8191.0).collect();
    Checkpoint::builder("merged")
        .rows(RowRange::new(0, ROWS as u64))
        .ids((0..ROWS).map(|row| format!("read{row}_chunk_1F1")).collect())
        .tensor("data", Tensor::from_f32([ROWS, WIDTH], values).expect("the values are counted"))
        .tensor("status", Tensor::from_u8([ROWS], vec![0; ROWS]).expect("they are counted"))
        .build()
        .expect("it is consistent")
}

fn native(criterion: &mut Criterion) {
    let directory = tempfile::tempdir_in(".").expect("the crate's directory can be written to");
    let path = directory.path().join("part.vnp");
    let (checkpoint, limits) = (checkpoint(), Limits::default());
    atomic_save(&path, &checkpoint).expect("saved");
    let open = |path: &Path| Checkpoint::open(path, &limits).expect("opened");

    let mut group = criterion.benchmark_group("native");
    group.sample_size(20).throughput(Throughput::Bytes((ROWS * WIDTH * size_of::<f32>()) as u64));
    group.bench_function("save", |b| b.iter(|| atomic_save(&path, &checkpoint)));
    group.bench_function("load", |b| b.iter(|| load_with_compatibility(&path, &limits)));
    group.bench_function("map", |b| b.iter(|| open(&path).map()));
    group.bench_function("verify", |b| b.iter(|| verify_digests(&path, &limits)));
    group.bench_function("pieces of 256 rows", |b| {
        b.iter(|| {
            open(&path).pieces(256).expect("verified").for_each(|piece| drop(black_box(piece)))
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("native, little of it");
    group.bench_function("header", |b| b.iter(|| read_header(&path, &limits)));
    group.bench_function("one small tensor", |b| b.iter(|| open(&path).tensor("status")));
    let rows = checkpoint.iter_rows();
    group.bench_function("2000 rows of a loaded one", |b| {
        b.iter(|| {
            rows.clone()
                .map(|row| row.values::<f32>("data").map_or(0.0, |row| row.iter().sum()))
                .sum::<f32>()
        });
    });
    group.finish();
}

criterion_group!(benches, native);
criterion_main!(benches);
