//! Writing tensors to files in the forms in which weights are distributed.

use std::path::Path;

use half::f16;
use safetensors::Dtype;
use vnp_ckpt::{Checkpoint, Tensor, Value};

use crate::weights::TensorSource;
use crate::weights::tensors::Tensors;

/// The tensors under other names, those without one left out, stored as f32 if so wished.
pub(crate) fn renamed(
    tensors: &dyn TensorSource,
    in_f32: bool,
    rename: impl Fn(&str) -> Option<String>,
) -> Tensors {
    let mut made = Tensors::default();
    for name in tensors.names() {
        let Some(new) = rename(name) else { continue };
        let info = tensors.info(name).unwrap();
        let values = values(tensors, name);
        match in_f32 || info.dtype == Dtype::F32 {
            true => made.insert_f32(new, &info.shape, &values),
            false => made.insert_f16(new, &info.shape, &values),
        }
    }
    made
}

/// A name of transformers as fair-esm has it below a prefix.
pub(crate) fn fair_name(prefix: &str, name: &str) -> String {
    let name = name
        .replace("embeddings.word_embeddings.", "embed_tokens.")
        .replace("encoder.emb_layer_norm_after.", "emb_layer_norm_after.")
        .replace("encoder.layer.", "layers.")
        .replace("attention.LayerNorm.", "self_attn_layer_norm.")
        .replace("attention.self.query.", "self_attn.q_proj.")
        .replace("attention.self.key.", "self_attn.k_proj.")
        .replace("attention.self.value.", "self_attn.v_proj.")
        .replace("attention.self.rotary_embeddings.", "self_attn.rot_emb.")
        .replace("attention.output.dense.", "self_attn.out_proj.")
        .replace("intermediate.dense.", "fc1.")
        .replace("output.dense.", "fc2.")
        .replace(".LayerNorm.", ".final_layer_norm.");
    format!("{prefix}{name}")
}

/// Writes a PyTorch file.
pub(crate) fn write_torch(path: &Path, tensors: &Tensors, metadata: &[(&str, Value)]) {
    let mut builder = Checkpoint::builder("weights");
    for name in tensors.names() {
        let info = tensors.info(name).unwrap();
        let tensor = match info.dtype {
            Dtype::F32 => Tensor::from_f32(info.shape.clone(), values(tensors, name)),
            Dtype::F16 => {
                let halves = values(tensors, name).into_iter().map(f16::from_f32).collect();
                Tensor::from_f16(info.shape.clone(), halves)
            }
            other => panic!("{other}"),
        };
        builder = builder.free_tensor(name, tensor.unwrap());
    }
    for (key, value) in metadata {
        builder = builder.metadata(*key, value.clone());
    }
    vnp_ckpt::export_torch(path, &builder.build().unwrap()).unwrap();
}

/// Writes a safetensors file.
pub(crate) fn write_safetensors(path: &Path, tensors: &Tensors) {
    let views = tensors.names().into_iter().map(|name| {
        let info = tensors.info(name).unwrap();
        let bytes = tensors.bytes(name).unwrap().to_vec();
        (name.to_owned(), (info.dtype, info.shape.clone(), bytes))
    });
    let views: Vec<_> = views.collect();
    let views = views.iter().map(|(name, (dtype, shape, bytes))| {
        let view = safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes);
        (name.clone(), view.unwrap())
    });
    fs_err::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// Writes the tensors in turn into two files with an index: `stem` is `model` or `pytorch_model`,
/// `ending` that of a whole file. The index's map, to be changed and written again.
pub(crate) fn write_shards(
    directory: &Path,
    (stem, ending): (&str, &str),
    tensors: &Tensors,
) -> serde_json::Map<String, serde_json::Value> {
    let mut weight_map = serde_json::Map::new();
    for half in 0..2 {
        let file = format!("{stem}-0000{}-of-00002.{ending}", half + 1);
        let names: Vec<&str> = tensors.names().into_iter().skip(half).step_by(2).collect();
        let shard = renamed(tensors, false, |name| names.contains(&name).then(|| name.to_owned()));
        match ending {
            "bin" => write_torch(&directory.join(&file), &shard, &[]),
            _ => write_safetensors(&directory.join(&file), &shard),
        }
        weight_map.extend(names.into_iter().map(|name| (name.to_owned(), file.clone().into())));
    }
    write_index(&directory.join(format!("{stem}.{ending}.index.json")), &weight_map);
    weight_map
}

/// Writes an index of shards.
pub(crate) fn write_index(path: &Path, weight_map: &serde_json::Map<String, serde_json::Value>) {
    let index = serde_json::json!({"metadata": {"total_size": 1}, "weight_map": weight_map});
    fs_err::write(path, index.to_string()).unwrap();
}

fn values(tensors: &dyn TensorSource, name: &str) -> Vec<f32> {
    let bytes = tensors.bytes(name).unwrap();
    match tensors.info(name).unwrap().dtype {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        _ => bytes.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
    }
}
