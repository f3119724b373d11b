//! Situations of weights: wrapped names, training checkpoints, broken values and broken links.

use std::path::PathBuf;

use vnp_forge::items::{call, dict, float, int, list, text};

use super::case::Case;
use crate::heads::{Head, four, numpy_scalar};
use crate::import::Import;
use crate::support::{Bench, Ended, root};

pub(super) const CASES: &[Case] = &[
    Case {
        input: "esm2 with `module.` or `_orig_mod.` before every name",
        command: "models import",
        expected: "read, same digest",
        check: |bench| {
            import_esm2(bench, "plain", "").expect(0, &[]);
            for prefix in ["module.", "_orig_mod.", "module._orig_mod."] {
                import_esm2(bench, "wrapped", prefix).expect(0, &[]);
                let digest = |name: &str| bench.json(name)["digests"]["esm2"].clone();
                assert_eq!(digest("wrapped/bundle.json"), digest("plain/bundle.json"));
                std::fs::remove_dir_all(bench.path("wrapped")).unwrap();
            }
        },
    },
    Case {
        input: "head_with_optimizer.pth, head_with_loss_tensor.pth",
        command: "models import --head",
        expected: "head taken, the rest listed as left out",
        check: |bench| {
            let moments = dict(&[("exp_avg", four()), ("step", float(3.0))]);
            let groups = list(&[dict(&[("lr", float(0.1)), ("params", list(&[int(0)]))])]);
            let adam = dict(&[("state", moments), ("param_groups", groups)]);
            taken(
                bench,
                "head_with_optimizer.pth",
                "model_state_dict",
                "optimizer_state_dict",
                adam,
            );
            taken(bench, "head_with_loss_tensor.pth", "model_state_dict", "loss", four());
        },
    },
    Case {
        input: "head_with_numpy_scalar.pth, head_with_device.pth, head_with_path.pth",
        command: "models import --head",
        expected: "head taken, no alarm",
        check: |bench| {
            let scalar = numpy_scalar("numpy._core.multiarray");
            taken(bench, "head_with_numpy_scalar.pth", "state_dict", "best", scalar);
            let device = call("torch", "device", &[text("cuda"), int(0)]);
            taken(bench, "head_with_device.pth", "state_dict", "dev", device);
            let path = call("pathlib", "PurePosixPath", &[text("x")]);
            taken(bench, "head_with_path.pth", "state_dict", "p", path);
        },
    },
    Case {
        input: "head_nan.pth, head_negative_variance.pth",
        command: "models import --head; models verify",
        expected: "refused, naming tensor and index",
        check: |bench| {
            let head = Head::new().with("hidden_layer.weight", f32::NAN);
            import(bench, &made(bench, "head_nan.pth", &head))
                .expect(1, &["weight", "NaN at index [0, 0]"]);
            let head = Head::new().with("bn1.running_var", -1.0);
            let path = made(bench, "head_negative_variance.pth", &head);
            import(bench, &path).expect(1, &["running_var", "-1 at index [0]"]);
            assert!(!bench.path("tiny").exists());
            import(bench, &root().join("tests/fixtures/torch/head.pth")).expect(0, &[]);
            let path = bench.path("tiny/head.safetensors");
            let mut bytes = std::fs::read(&path).unwrap();
            let length = bytes.len();
            bytes[length - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
            std::fs::write(&path, bytes).unwrap();
            bench.vnp(&["models", "verify", "tiny"]).expect(1, &["NaN at index"]);
        },
    },
    Case {
        input: "head_f64.pth",
        command: "models import --head",
        expected: "converted",
        check: |bench| {
            import(bench, &made(bench, "head_f64.pth", &Head::new().in_f64())).expect(0, &[]);
        },
    },
    Case {
        input: "DIR/model.safetensors a link to nothing",
        command: "models import",
        expected: "named as a broken link",
        check: |bench| {
            let esm2 = root().join("tests/fixtures/parity/esm2");
            std::fs::create_dir(bench.path("esm2")).unwrap();
            std::fs::copy(esm2.join("config.json"), bench.path("esm2/config.json")).unwrap();
            #[cfg(unix)]
            std::os::unix::fs::symlink("nowhere", bench.path("esm2/model.safetensors")).unwrap();
            let broken = Import { esm2: bench.path("esm2"), ..Import::new() };
            broken.run(bench, "tiny").expect(1, &["model.safetensors", "link"]);
        },
    },
];

/// A recipe that the shared script made, or the same head pickled here, where it had no PyTorch.
fn made(bench: &Bench, name: &str, head: &Head) -> PathBuf {
    let recipe = bench.path(&format!("field/{name}"));
    if recipe.exists() { recipe } else { head.file(bench, name, &head.state_dict("")) }
}

/// A head next to a value that is not one of its tensors: it is taken, and the rest listed.
fn taken(bench: &Bench, name: &str, key: &str, beside: &str, value: Vec<u8>) {
    let recipe = bench.path(&format!("field/{name}"));
    let head = Head::new();
    let path = match recipe.exists() {
        true => recipe,
        false => head.file(bench, name, &dict(&[(key, head.state_dict("")), (beside, value)])),
    };
    let ended = import(bench, &path);
    ended.expect(0, &["left out, because it is not the network", beside]);
    assert!(!ended.stderr.contains("program"), "{}", ended.stderr);
}

fn import(bench: &Bench, head: &std::path::Path) -> Ended {
    drop(std::fs::remove_dir_all(bench.path("tiny")));
    Import { head: head.to_owned(), ..Import::new() }.run(bench, "tiny")
}

/// Imports the fixture's ESM-2 with a prefix before the name of every tensor.
fn import_esm2(bench: &Bench, out: &str, prefix: &str) -> Ended {
    let esm2 = root().join("tests/fixtures/parity/esm2");
    let bytes = std::fs::read(esm2.join("model.safetensors")).unwrap();
    let (length, rest) = bytes.split_at(8);
    let length = usize::try_from(u64::from_le_bytes(length.try_into().unwrap())).unwrap();
    let (header, tensors) = rest.split_at(length);
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(header).unwrap();
    let renamed: serde_json::Map<_, _> = header
        .into_iter()
        .map(|(name, entry)| match name.as_str() {
            "__metadata__" => (name, entry),
            _ => (format!("{prefix}{name}"), entry),
        })
        .collect();
    let header = serde_json::to_vec(&renamed).unwrap();
    drop(std::fs::create_dir(bench.path("esm2")));
    std::fs::copy(esm2.join("config.json"), bench.path("esm2/config.json")).unwrap();
    let length = (header.len() as u64).to_le_bytes();
    bench.write("esm2/model.safetensors", [&length[..], &header, tensors].concat());
    Import { esm2: bench.path("esm2"), ..Import::new() }.run(bench, out)
}
