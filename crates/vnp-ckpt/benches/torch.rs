//! Files of PyTorch: `VNP_BENCH_PT=DIR cargo bench -p vnp-ckpt --bench torch` times a load of
//! every `.pt` file in DIR. `cargo xtask bench-ckpt --python PATH` makes such files, and times
//! torch beside us.

#![expect(clippy::print_stderr, clippy::expect_used, reason = "a bench reports to no caller else")]

use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vnp_ckpt::{Limits, load_with_compatibility};

fn torch(criterion: &mut Criterion) {
    let Some(directory) = std::env::var_os("VNP_BENCH_PT").map(PathBuf::from) else {
        eprintln!("skipped: VNP_BENCH_PT names no directory of .pt files");
        return;
    };
    let entries = fs_err::read_dir(&directory).expect("VNP_BENCH_PT is a directory");
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pt"));
    paths.sort();
    let mut group = criterion.benchmark_group("torch");
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs_err::metadata(&path).expect("it was listed").len();
        group.sample_size(10).throughput(Throughput::Bytes(bytes));
        group.bench_function(format!("load {name}"), |b| {
            b.iter(|| load_with_compatibility(&path, &Limits::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, torch);
criterion_main!(benches);
