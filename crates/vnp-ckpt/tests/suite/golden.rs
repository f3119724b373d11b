//! Real checkpoints of the earlier tools, where `../shared` exists.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;
use vnp_ckpt::{Checkpoint, Dtype, Limits, Tensor, load_with_compatibility};

use crate::support::{fixtures, repository};

/// A folder of ../shared, if it is there.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let path = repository().join("../shared").join(folder);
    if !path.exists() {
        let _ = writeln!(std::io::stderr(), "skipped: {folder} (../shared is not here)");
        return None;
    }
    Some(path)
}

fn load(path: &Path) -> Checkpoint {
    load_with_compatibility(path, &Limits::default()).unwrap()
}

/// The rows of a tensor by the id of each.
fn by_id<'a>(checkpoint: &'a Checkpoint, tensor: &str) -> BTreeMap<&'a str, &'a [u8]> {
    let data = checkpoint.tensor(tensor).unwrap();
    let [rows, width] = *data.shape() else { panic!("{:?}", data.shape()) };
    assert_eq!(rows, checkpoint.ids().len());
    let bytes = data.bytes().chunks_exact(width * data.dtype().size_bytes());
    let rows: BTreeMap<_, _> = checkpoint.ids().iter().map(String::as_str).zip(bytes).collect();
    assert_eq!(rows.len(), checkpoint.ids().len(), "an id is there twice");
    rows
}

#[test]
fn merged_rows_are_the_two_features_joined_by_id() {
    let Some(shared) = shared("golden/virnucpro-0.x/test_with_orfs") else { return };
    for run in [shared.clone(), shared.join("test_with_orfs_refactored")] {
        let part =
            |kind: &str, file: &str| load(&run.join(format!("test_with_orfs_{kind}/{file}")));
        let nucleotide = part("nucleotide", "output_1_DNABERT_S.pt");
        let protein = part("protein", "output_1_ESM.pt");
        let merged = part("merged", "output_1_merged.pt");
        for (checkpoint, kind, tensor, width) in [
            (&nucleotide, "nucleotide", "embedding", 768),
            (&protein, "protein", "embedding", 2560),
            (&merged, "merged", "data", 3328),
        ] {
            assert_eq!(checkpoint.version().to_string(), "0.x");
            assert_eq!(checkpoint.kind(), kind);
            let data = checkpoint.tensor(tensor).unwrap();
            assert_eq!(
                (data.dtype(), data.shape()),
                (Dtype::F32, &[merged.ids().len(), width][..])
            );
        }
        let (left, right) = (by_id(&nucleotide, "embedding"), by_id(&protein, "embedding"));
        let merged = by_id(&merged, "data");
        assert!(!merged.is_empty());
        assert_eq!((left.len(), right.len()), (merged.len(), merged.len()));
        for (id, row) in merged {
            assert_eq!([left[id], right[id]].concat(), row, "{id}");
        }
    }
}

/// Path, length, time and contents of everything below a folder.
type Snapshot = BTreeMap<PathBuf, (u64, SystemTime, Vec<u8>)>;

fn snapshot(folder: &Path, into: &mut Snapshot) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::metadata(&path).unwrap();
        let contents = if metadata.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
        if metadata.is_dir() {
            snapshot(&path, into);
        }
        into.insert(path, (metadata.len(), metadata.modified().unwrap(), contents));
    }
}

#[test]
fn nothing_changes_where_files_are_read() {
    let Some(golden) = shared("golden") else { return };
    let [mut before, mut after] = [Snapshot::new(), Snapshot::new()];
    snapshot(&golden, &mut before);
    let mut opened = 0;
    for path in before.keys() {
        let limits = Limits::default();
        let Ok(mut file) = Checkpoint::open(path, &limits) else { continue };
        file.verify().unwrap();
        file.load().unwrap();
        vnp_ckpt::read_header(path, &limits).unwrap();
        vnp_ckpt::verify_digests(path, &limits).unwrap();
        opened += 1;
    }
    snapshot(&golden, &mut after);
    assert!(before == after, "something below {} changed", golden.display());
    assert!(opened > 30, "{opened}");
}

/// The name that Hugging Face gives a weight of fair-esm.
fn hugging_face(name: &str) -> Option<String> {
    let name = name.strip_prefix("model.encoder.")?;
    let Some(name) = name.strip_prefix("sentence_encoder.") else {
        // The output weight is the one of the embeddings.
        let is_tied = name == "lm_head.weight";
        let name = if is_tied { "esm.embeddings.word_embeddings.weight" } else { name };
        return Some(name.to_owned());
    };
    let Some((layer, weight)) = name.strip_prefix("layers.").and_then(|name| name.split_once('.'))
    else {
        return Some(match name.split_once('.')? {
            ("embed_tokens", rest) => format!("esm.embeddings.word_embeddings.{rest}"),
            (norm, rest) => format!("esm.encoder.{norm}.{rest}"),
        });
    };
    let (weight, rest) = weight.rsplit_once('.')?;
    let weight = match weight {
        "self_attn.k_proj" => "attention.self.key",
        "self_attn.v_proj" => "attention.self.value",
        "self_attn.q_proj" => "attention.self.query",
        "self_attn.out_proj" => "attention.output.dense",
        "self_attn.rot_emb" => "attention.self.rotary_embeddings",
        "self_attn_layer_norm" => "attention.LayerNorm",
        "fc1" => "intermediate.dense",
        "fc2" => "output.dense",
        "final_layer_norm" => "LayerNorm",
        _ => return None,
    };
    Some(format!("esm.encoder.layer.{layer}.{weight}.{rest}"))
}

#[test]
fn fair_esm_has_the_weights_of_hugging_face() {
    let Some(shared) = shared("parity/esm2_hf") else { return };
    let bytes = fs::read(shared.join("model.safetensors")).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let ours = load(&fixtures().join("torch/esm2_tiny.pt"));
    let mut named = std::collections::BTreeSet::new();
    for (name, tensor) in ours.tensors() {
        // The conversion did not carry this one over: PyTorch, too, finds other numbers in it.
        if name.contains("contact_head") {
            continue;
        }
        let name = hugging_face(name).unwrap_or_else(|| panic!("{name}"));
        let same = theirs.tensor(&name).unwrap();
        assert_eq!((tensor.shape(), tensor.dtype()), (same.shape(), Dtype::F32), "{name}");
        assert!(tensor.bytes() == same.data(), "{name}");
        named.insert(name);
    }
    let mut left: Vec<_> =
        theirs.names().into_iter().filter(|&name| !named.contains(name)).collect();
    left.sort_unstable();
    // A copy of what each layer has, and the names above.
    let mut expected =
        ["bias", "weight"].map(|end| format!("esm.contact_head.regression.{end}")).to_vec();
    expected.push("esm.rotary_embeddings.inv_freq".to_owned());
    assert_eq!(left, expected);
    assert_eq!(ours.tensors().map(|(_, tensor): (_, &Tensor)| tensor.len()).max(), Some(64 * 256));
}
