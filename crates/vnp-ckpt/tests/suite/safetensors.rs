//! safetensors files: ours come back as they were, those of others are weights.

use std::path::Path;

use fs_err as fs;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use vnp_ckpt::{
    Checkpoint, Encoding, ErrorKind, Integrity, Limits, RowRange, Tensor, Version,
    export_safetensors, load_with_compatibility, open_reader,
};

use crate::exports::{cases, native_fixtures};
use crate::support::{builder, decode, fixtures, kind_in_file, map, sample, written};

pub(crate) fn exported(checkpoint: &Checkpoint) -> Vec<u8> {
    written("a.safetensors", |path| export_safetensors(path, checkpoint))
}

#[track_caller]
fn check(name: &str, checkpoint: &Checkpoint) {
    let bytes = exported(checkpoint);
    let read = decode(&bytes).unwrap();
    assert_eq!(&read, checkpoint, "{name}");
    assert_eq!(read.version(), &Version::CURRENT);
    assert_eq!(exported(&read), bytes, "{name}: the same bytes again");
    // The reference implementation agrees.
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    for (tensor, data) in checkpoint.tensors() {
        let view = reference.tensor(tensor).unwrap();
        assert_eq!((view.shape(), view.data()), (data.shape(), data.bytes()), "{name}: {tensor}");
        assert_eq!(view.dtype().bitsize(), data.dtype().size_bytes() * 8);
    }
    let own = if checkpoint.rows().is_empty() { 0 } else { 2 };
    assert_eq!(reference.len(), checkpoint.tensors().len() + own, "{name}");
}

#[test]
fn what_is_exported_is_what_is_loaded() {
    cases().iter().for_each(|(name, checkpoint)| check(name, checkpoint));
}

#[test]
fn every_fixture_comes_back() {
    native_fixtures().iter().for_each(|(name, checkpoint)| check(name, checkpoint));
}

#[test]
fn one_tensor_is_read_without_the_rest() {
    let bytes = exported(&sample());
    let input = std::io::Cursor::new(bytes.clone());
    let length = bytes.len() as u64;
    let mut file = open_reader(Path::new("a"), input, length, &Limits::default()).unwrap();
    assert_eq!(file.integrity(), Integrity::Unverified);
    assert_eq!(file.header().rows, RowRange::new(8, 11));
    assert_eq!(file.tensor("status").unwrap().unwrap().as_u8().unwrap(), [0, 1, 2]);
    assert_eq!(file.ids().unwrap(), sample().ids());
    assert!(file.tensor("ids").unwrap().is_none() && file.tensor("ids.text").unwrap().is_none());
    let section = &file.header().sections[2];
    assert_eq!(bytes[section.offset as usize..][..section.length as usize], [0, 1, 2]);
    file.verify().unwrap();
}

#[test]
fn tensors_are_aligned() {
    let everything = cases().into_iter().find(|(name, _)| name == "part.of.a.run").unwrap().1;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.safetensors");
    export_safetensors(&path, &everything).unwrap();
    let header = vnp_ckpt::read_header(&path, &Limits::default()).unwrap();
    for section in &header.sections {
        if let Encoding::Tensor { dtype, .. } = section.encoding {
            assert_eq!(section.offset % dtype.size_bytes() as u64, 0, "{}", section.name);
        }
    }
}

#[test]
fn files_of_others_are_weights() {
    for name in ["head", "expected", "esm2/model", "dnabert/model"] {
        let path = fixtures().join("parity").join(name).with_extension("safetensors");
        let bytes = fs::read(&path).unwrap();
        let reference = SafeTensors::deserialize(&bytes).unwrap();
        let read = load_with_compatibility(&path, &Limits::default()).unwrap();
        assert_eq!((read.version(), read.kind()), (&Version::V0, "weights"));
        assert_eq!((read.rows(), read.ids().len()), (RowRange::default(), 0));
        assert_eq!(read.producer().name, "safetensors");
        assert_eq!(read.tensors().len(), reference.len());
        for (name, tensor) in read.tensors() {
            let view = reference.tensor(name).unwrap();
            assert_eq!((tensor.shape(), tensor.bytes()), (view.shape(), view.data()), "{name}");
        }
        // They can be saved as anything, and come back with everything but the version.
        let again = decode(&exported(&read)).unwrap();
        assert!(again.tensors().eq(read.tensors()));
        assert_eq!((again.kind(), again.version()), ("weights", &Version::CURRENT));
    }
}

#[test]
fn the_metadata_of_others_is_kept() {
    let numbers = [1.5_f32, -0.0].map(f32::to_le_bytes).concat();
    let view = TensorView::new(safetensors::Dtype::F32, vec![2], &numbers).unwrap();
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    let bytes = safetensors::serialize([("a.b", view)], Some(metadata)).unwrap();
    let read = decode(&bytes).unwrap();
    assert_eq!(read.metadata(), &map([("format", "pt".into())]));
    assert_eq!(read.tensor("a.b").unwrap().bytes(), numbers);
    let none = safetensors::serialize::<&str, &TensorView<'_>, _>([], None).unwrap();
    assert_eq!(decode(&none).unwrap().kind(), "values");
}

#[test]
fn names_that_the_format_needs_are_refused() {
    let tensor = || Tensor::from_u8([1], vec![1]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.safetensors");
    for name in ["__metadata__", "ids.text", "ids.offsets"] {
        let checkpoint = builder().free_tensor(name, tensor()).build().unwrap();
        let saved = kind_in_file(export_safetensors(&path, &checkpoint));
        let Err(ErrorKind::Inconsistent { subject, .. }) = saved else {
            panic!("{name}: {saved:?}")
        };
        assert_eq!(subject, "name of a tensor");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    // Without rows there are no such tensors, and the names are free.
    check("free", &Checkpoint::builder("k").free_tensor("ids.text", tensor()).build().unwrap());
}
