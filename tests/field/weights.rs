//! Situations of weights: other names, training checkpoints, values that no network has, broken links.

use std::path::PathBuf;

use vnp_forge::items::{call, dict, float, int, list, text};

use super::case::Case;
use crate::heads::{Head, four, numpy_scalar};
use crate::import::Import;
use crate::support::{Bench, root};
use crate::weights::{head_digest, import};

pub(super) const CASES: &[Case] = &[
    Case {
        input: "parity/esm2_hf with `module.` or `_orig_mod.` before every name",
        command: "models import",
        expected: "read, same digest",
        check: |bench| {
            Import::new().run(bench, "tiny").expect(0, &[]);
            let digest = |out: &str| bench.json(&format!("{out}/bundle.json"))["digests"].clone();
            for prefix in ["module.", "_orig_mod."] {
                let esm2 = with_prefix(bench, prefix);
                let out = format!("{prefix}bundle");
                Import { esm2, ..Import::new() }.run(bench, &out).expect(0, &[]);
                assert_eq!(digest(&out), digest("tiny"), "{prefix}");
            }
        },
    },
    Case {
        input: "head_with_optimizer.pth, head_with_loss_tensor.pth",
        command: "models import --head",
        expected: "head taken, the rest listed as left out",
        check: |bench| {
            let moments = dict(&[("exp_avg", four()), ("step", four())]);
            let state = [&b"}"[..], &int(0), &moments, b"s"].concat();
            let groups = list(&[dict(&[("lr", float(0.1)), ("params", list(&[int(0)]))])]);
            let adam = dict(&[("state", state), ("param_groups", groups)]);
            let more = [("epoch", int(3)), ("optimizer_state_dict", adam)];
            let left_out = "left out, because it is not the network: epoch, optimizer_state_dict";
            taken(bench, "head_with_optimizer.pth", "model_state_dict", &more, left_out);
            let more = [("loss", four())];
            let left_out = "left out, because it is not the network: loss";
            taken(bench, "head_with_loss_tensor.pth", "model_state_dict", &more, left_out);
        },
    },
    Case {
        input: "head_with_numpy_scalar.pth, head_with_device.pth, head_with_path.pth",
        command: "models import --head",
        expected: "head taken, no alarm",
        check: |bench| {
            let more = [("best", numpy_scalar("numpy._core.multiarray"))];
            taken(bench, "head_with_numpy_scalar.pth", "state_dict", &more, "network: best");
            let more = [("dev", call("torch", "device", &[text("cuda"), int(0)]))];
            taken(bench, "head_with_device.pth", "state_dict", &more, "network: dev");
            let more = [("p", call("pathlib", "PurePosixPath", &[text("x")]))];
            taken(bench, "head_with_path.pth", "state_dict", &more, "network: p");
        },
    },
    Case {
        input: "head_nan.pth, head_negative_variance.pth",
        command: "models import --head; models verify",
        expected: "refused, naming tensor and index",
        check: |bench| {
            let refused = |name: &str, tensor: &str, value: f32, message: &str| {
                let head = Head::new().with(tensor, value);
                let file = made(bench, name, &head, &head.state_dict(""));
                import(bench, &file).expect(1, &[name, tensor, message]);
                assert!(!bench.path("tiny").exists());
            };
            let nan = "holds NaN at index [0, 0]";
            refused("head_nan.pth", "hidden_layer.weight", f32::NAN, nan);
            let negative = "holds a variance of -1 at index [0]";
            refused("head_negative_variance.pth", "bn1.running_var", -1.0, negative);
            Import::new().run(bench, "tiny").expect(0, &[]);
            let path = bench.path("tiny/head.safetensors");
            let mut bytes = std::fs::read(&path).unwrap();
            let last = bytes.len() - 4;
            bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
            std::fs::write(&path, bytes).unwrap();
            let named = "tensor output_layer.weight holds NaN at index [1, 31]";
            bench.vnp(&["models", "verify", "./tiny"]).expect(1, &[named]);
        },
    },
    Case {
        input: "head_f64.pth",
        command: "models import --head",
        expected: "converted",
        check: |bench| {
            let head = Head::new().in_f64();
            let file = made(bench, "head_f64.pth", &head, &head.state_dict(""));
            same_head(bench, &file);
        },
    },
    Case {
        input: "DIR/model.safetensors a link to nothing",
        command: "models import",
        expected: "named as a broken link",
        check: |bench| {
            let esm2 = with_prefix(bench, "");
            std::fs::remove_file(esm2.join("model.safetensors")).unwrap();
            let target = "../blobs/nothing";
            std::os::unix::fs::symlink(target, esm2.join("model.safetensors")).unwrap();
            let named = "model.safetensors is a link to ../blobs/nothing, which does not exist";
            Import { esm2, ..Import::new() }.run(bench, "tiny").expect(1, &[named]);
        },
    },
];

/// A recipe that needs PyTorch: the file of the shared script, or ours.
fn made(bench: &Bench, name: &str, head: &Head, value: &[u8]) -> PathBuf {
    let path = bench.path("field").join(name);
    if path.exists() { path } else { head.file(bench, &format!("field/{name}"), value) }
}

/// Imports a training checkpoint, of which the head is taken without an alarm.
fn taken(bench: &Bench, name: &str, key: &str, more: &[(&str, Vec<u8>)], left_out: &str) {
    let head = Head::new();
    let entries = [&[(key, head.state_dict(""))], more].concat();
    let file = made(bench, name, &head, &dict(&entries));
    let stderr = same_head(bench, &file);
    assert!(stderr.contains(left_out) && !stderr.contains("run a program"), "{stderr}");
}

/// Imports a head, which is the one of the fixture, and returns what is logged.
fn same_head(bench: &Bench, file: &std::path::Path) -> String {
    import(bench, &root().join("tests/fixtures/torch/head.pth")).expect(0, &[]);
    let expected = head_digest(bench);
    let ended = import(bench, file);
    ended.expect(0, &[]);
    assert_eq!(head_digest(bench), expected, "{}", file.display());
    ended.stderr
}

/// A transformers directory of ESM-2 with a prefix before the name of every tensor.
fn with_prefix(bench: &Bench, prefix: &str) -> PathBuf {
    let (from, to) =
        (root().join("tests/fixtures/parity/esm2"), bench.path(&format!("{prefix}esm2")));
    std::fs::create_dir(&to).unwrap();
    std::fs::copy(from.join("config.json"), to.join("config.json")).unwrap();
    let bytes = std::fs::read(from.join("model.safetensors")).unwrap();
    let length = usize::try_from(u64::from_le_bytes(*bytes.first_chunk().unwrap())).unwrap();
    let (header, data) = bytes[8..].split_at(length);
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(header).unwrap();
    let renamed = header.into_iter().map(|(name, info)| match name.as_str() {
        "__metadata__" => (name, info),
        _ => (format!("{prefix}{name}"), info),
    });
    let header = serde_json::Value::Object(renamed.collect()).to_string();
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(to.join("model.safetensors"), [&length, header.as_bytes(), data].concat())
        .unwrap();
    to
}
