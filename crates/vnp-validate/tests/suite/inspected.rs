//! What holds for any file that is inspected and validated; shared with the fuzz target `inspect`.

use std::path::Path;

use vnp_ckpt::{Checkpoint, Encoding, Limits, Value, load_with_compatibility};
use vnp_validate::{Code, Level, Options, validate_checkpoint};

/// Writes the bytes to `path`, and asks everything that `vnp checkpoint inspect` and
/// `vnp validate-checkpoints` ask.
///
/// # Panics
/// When two ways to read it do not agree.
pub(crate) fn check(bytes: &[u8], path: &Path) {
    std::fs::write(path, bytes).unwrap();
    let limits = Limits::default();
    let opened = Checkpoint::open(path, &limits);
    let is_open = opened.is_ok();
    if let Ok(file) = opened {
        told(&file);
    }
    for level in Level::ALL {
        let options = Options { level, ..Options::default() };
        let report = validate_checkpoint(path, &options).unwrap();
        assert_eq!(report.outcome() == vnp_validate::Outcome::Ok, report.findings.is_empty());
        let all = report.reason();
        assert!(all.len() < 20_000, "a reason of {} bytes", all.len());
        let is_about_contents = |code| [Code::NotComplete, Code::NonFinite].contains(&code);
        if level == Level::Container {
            let is_refused = report.findings.iter().any(|it| !is_about_contents(it.code));
            assert_eq!(is_open, !is_refused, "{all}");
        }
        if level == Level::Tensors {
            let loaded = load_with_compatibility(path, &limits);
            match &loaded {
                Ok(_) => {
                    assert!(report.findings.iter().all(|it| is_about_contents(it.code)), "{all}")
                }
                Err(error) => assert!(!report.is_ok(), "{error}"),
            }
            if report.is_ok() {
                let weights = Checkpoint::open_weights(path, &limits).unwrap();
                assert!(weights.load().is_ok());
            }
        }
    }
}

/// Everything that `vnp checkpoint inspect` shows of an open file.
fn told(file: &vnp_ckpt::CheckpointFile) {
    let header = file.header();
    let mut length = file.integrity().name().len() + header.kind.len() + header.created.len();
    length += header.producer.name.len() + header.producer.version.len();
    length += format!("{} {} {}", header.version, header.status, header.rows).len();
    for section in &header.sections {
        length += section.name.len();
        if let Encoding::Tensor { dtype, shape, .. } = &section.encoding {
            length += format!("{dtype} {shape:?}").len();
        }
    }
    for (key, value) in header.metadata.iter().chain(&header.unknown) {
        length += key.len() + values(value);
    }
    std::hint::black_box(length);
}

/// Number of values in one, itself included.
fn values(value: &Value) -> usize {
    match value {
        Value::List(list) => 1 + list.iter().map(values).sum::<usize>(),
        Value::Map(map) => 1 + map.values().map(values).sum::<usize>(),
        _ => 1,
    }
}
