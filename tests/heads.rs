//! Heads pickled again in another setting: within training checkpoints, under other names, with other values.

use std::path::PathBuf;

use vnp_ckpt::{Dtype, Limits};
use vnp_forge::items::{archive, call, dict, int, numbers, pickle, storage, text, tuple, view};

use crate::support::{Bench, root};

/// The tensors of the fixture's head, to be pickled again in another setting.
pub(crate) struct Head {
    pub(crate) tensors: Vec<(String, Dtype, Vec<i64>, Vec<u8>)>,
}

impl Head {
    /// The fixture's.
    pub(crate) fn new() -> Self {
        let path = root().join("tests/fixtures/torch/head_state_dict.pth");
        let loaded = vnp_ckpt::load_with_compatibility(&path, &Limits::default()).unwrap();
        let tensors = loaded.tensors().map(|(name, tensor)| {
            let shape = tensor.shape().iter().map(|&size| size.try_into().unwrap()).collect();
            (name.to_owned(), tensor.dtype(), shape, tensor.bytes().to_vec())
        });
        Self { tensors: tensors.collect() }
    }

    /// The same with the first number of a tensor replaced.
    pub(crate) fn with(mut self, name: &str, value: f32) -> Self {
        let tensor = self.tensors.iter_mut().find(|(found, ..)| found == name).unwrap();
        tensor.3[..4].copy_from_slice(&value.to_le_bytes());
        self
    }

    /// The same in double precision.
    pub(crate) fn in_f64(mut self) -> Self {
        for (_, dtype, _, bytes) in &mut self.tensors {
            if *dtype == Dtype::F32 {
                let values = bytes.as_chunks::<4>().0.iter();
                *bytes =
                    values.flat_map(|x| f64::from(f32::from_le_bytes(*x)).to_le_bytes()).collect();
                *dtype = Dtype::F64;
            }
        }
        self
    }

    /// The pickled state dict, all names below a prefix.
    pub(crate) fn state_dict(&self, prefix: &str) -> Vec<u8> {
        let mut entries = Vec::new();
        for (number, (name, dtype, shape, _)) in self.tensors.iter().enumerate() {
            let kind = match dtype {
                Dtype::F32 => "Float",
                Dtype::F64 => "Double",
                Dtype::I64 => "Long",
                other => panic!("{other}"),
            };
            let stride: Vec<i64> =
                (1..=shape.len()).map(|skip| shape.iter().skip(skip).product()).collect();
            let storage = storage(&number.to_string(), kind, shape.iter().product(), &[]);
            entries.push((format!("{prefix}{name}"), view(storage, 0, shape, &stride)));
        }
        let entries: Vec<_> =
            entries.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        dict(&entries)
    }

    /// A PyTorch file with this value, which may also use the storage `100` of four floats.
    pub(crate) fn file(&self, bench: &Bench, name: &str, value: &[u8]) -> PathBuf {
        let keys: Vec<String> = (0..self.tensors.len()).map(|number| number.to_string()).collect();
        let storages = keys.iter().zip(&self.tensors);
        let mut storages: Vec<(&str, &[u8])> =
            storages.map(|(key, (.., bytes))| (key.as_str(), bytes.as_slice())).collect();
        storages.push(("100", &[0; 16]));
        bench.write(name, archive(&pickle(value), &storages))
    }
}

/// A tensor of four floats.
pub(crate) fn four() -> Vec<u8> {
    view(storage("100", "Float", 4, &[]), 0, &[4], &[1])
}

/// A dtype of numpy.
pub(crate) fn numpy_dtype(name: &str, order: &str) -> Vec<u8> {
    let [no, yes, none] = [b"\x89", b"\x88", b"N"].map(|byte| byte.to_vec());
    let made = call("numpy", "dtype", &[text(name), no, yes]);
    let nones = [none.clone(), none.clone(), none];
    let state = [&[int(3), text(order)][..], &nones, &[int(-1), int(-1), int(0)]].concat();
    [made, tuple(&state), b"b".to_vec()].concat()
}

/// `numpy.float64(0.5)`.
pub(crate) fn numpy_scalar(module: &str) -> Vec<u8> {
    let data = [&b"C\x08"[..], &0.5_f64.to_le_bytes()].concat();
    call(module, "scalar", &[numpy_dtype("f8", "<"), data])
}

/// The state of numpy's random numbers: unsigned integers.
pub(crate) fn numpy_random() -> Vec<u8> {
    let class = b"cnumpy\nndarray\n".to_vec();
    let made =
        call("numpy.core.multiarray", "_reconstruct", &[class, numbers(&[0]), b"C\x01b".to_vec()]);
    let data = b"C\x08\xff\xff\xff\xff\x01\0\0\0".to_vec();
    let state = [int(1), numbers(&[2]), numpy_dtype("u4", "<"), b"\x89".to_vec(), data];
    [made, tuple(&state), b"b".to_vec()].concat()
}
