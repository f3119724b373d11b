use candle_core::*;
use std::collections::BTreeMap;
use std::time::Instant;
use vnp_infer::*;
fn main() {
    let e = Esm2Config {
        vocab_size: 33,
        hidden_size: 64,
        num_hidden_layers: 1,
        num_attention_heads: 4,
        intermediate_size: 256,
        layer_norm_eps: 1e-5,
        token_dropout: true,
        emb_layer_norm_before: false,
        position_embedding_type: "rotary".into(),
        hidden_act: "gelu".into(),
    };
    let mut t = BTreeMap::new();
    for s in e.tensors() {
        let x = Var::randn(0f32, 0.1, s.shape.as_slice(), &Device::Cpu).unwrap();
        t.insert(s.name, x.as_tensor().clone());
    }
    let m = TrainableEsm2::new(e);
    let p: Vec<String> = (0..110)
        .map(|i| {
            (0..166).map(|j| char::from(b"LAGVSERTIDPKQNFYMHWC"[(i * 7 + j * j) % 20])).collect()
        })
        .collect();
    let tok: Vec<_> = p.iter().map(|p| m.tokenize(p)).collect();
    for _ in 0..6 {
        let t0 = Instant::now();
        let x = m.embed(&t, &tok).unwrap();
        let l = x.sqr().unwrap().sum_all().unwrap();
        let f = t0.elapsed();
        let g = l.backward().unwrap();
        println!("{:?} {:?} {}", f, t0.elapsed(), g.get(t.values().next().unwrap()).is_some());
    }
}
