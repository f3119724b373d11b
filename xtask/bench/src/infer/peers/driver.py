"""Holds other engines and runs them when told to.

The first line of input is the job as JSON. Each engine of it is answered with a line of JSON once
it is loaded and warm; then each line of input names an engine, runs it once over all sequences,
and is answered with its times. Weights are random: only the work counts.
"""
import json, math, os, sys, time

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # Whatever libraries print must not come between answers.

import torch
import torch.nn as nn
import torch.nn.functional as F

LETTERS = "LAGVSERTIDPKQNFYMHWC"  # ids 4, 5, ... of ESM-2
CLS, PAD, EOS = 0, 1, 2
BATCH_TOKENS = 2048  # padding included

job = json.loads(sys.stdin.readline())
L, D, H, I, V = (job[key] for key in ("layers", "hidden", "heads", "inner", "vocabulary"))
torch.set_num_threads(job["threads"])
torch.manual_seed(0)


def answer(**fields):
    print(json.dumps(fields), file=answers, flush=True)


class Batch:
    """Token ids padded to one length, with a mask and the true lengths."""

    def __init__(self, rows):
        self.lengths = [len(row) for row in rows]
        longest = max(self.lengths)
        self.ids = torch.full((len(rows), longest), PAD)
        self.mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for i, row in enumerate(rows):
            self.ids[i, : len(row)] = torch.tensor(row)
            self.mask[i, : len(row)] = 1

    def means(self, vectors, frame):
        """Of each row, without `frame` tokens at either end."""
        return [v[frame : n - frame].mean(0) for v, n in zip(vectors, self.lengths)]


def batches(rows, fits):
    """Rows of like length together, as many as fit."""
    found, batch = [], []
    for row in sorted(rows, key=len):
        if batch and not fits(len(batch) + 1, len(row)):
            found.append(Batch(batch))
            batch = []
        batch.append(row)
    return found + [Batch(batch)]


def proteins():
    rows = [[CLS, *(4 + LETTERS.index(x) for x in s), EOS] for s in job["sequences"]]
    return batches(rows, lambda count, longest: count * longest <= BATCH_TOKENS)


def fair(dtype):
    import esm

    model = esm.ESM2(num_layers=L, embed_dim=D, attention_heads=H).eval().to(dtype)
    return proteins(), 1, lambda batch: model(batch.ids, repr_layers=[L])["representations"][L]


def transformers_model(dtype, attention):
    from transformers import EsmConfig, EsmModel

    config = EsmConfig(
        vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H,
        intermediate_size=I, max_position_embeddings=1026, position_embedding_type="rotary",
        token_dropout=True, pad_token_id=PAD, mask_token_id=32,
    )
    config._attn_implementation = attention
    torch.set_default_dtype(dtype)
    model = EsmModel(config, add_pooling_layer=False).eval()
    torch.set_default_dtype(torch.float32)
    return model


def hf(dtype):
    model = transformers_model(dtype, "sdpa")
    run = lambda batch: model(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    return proteins(), 1, run


class Exported(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = transformers_model(torch.float32, "eager")

    def forward(self, ids, mask):
        return self.model(input_ids=ids, attention_mask=mask).last_hidden_state


def openvino(precision):
    import openvino as ov

    rows, path = proteins(), os.path.join(job["cache"], "model.onnx")
    if not os.path.exists(path):
        sizes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
        torch.onnx.export(
            Exported().eval(), (rows[0].ids, rows[0].mask), path, input_names=["ids", "mask"],
            output_names=["vectors"], dynamic_shapes={"ids": sizes, "mask": sizes}, dynamo=True,
            verbose=False,
        )
    core = ov.Core()
    settings = {
        "INFERENCE_NUM_THREADS": job["threads"], "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": 1,
    }
    model = core.compile_model(core.read_model(path), "CPU", settings)
    run = lambda batch: torch.from_numpy(model([batch.ids.numpy(), batch.mask.numpy()])[0])
    return rows, 1, run


def slopes(heads):
    """Of ALiBi; between powers of two, every second one of the next power fills up."""
    power = 2 ** int(math.log2(heads))
    found = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    between = [2 ** (-4 * (i + 1) / power) for i in range(0, 2 * power, 2)]
    return torch.tensor((found + between)[:heads])


class MosaicLayer(nn.Module):
    """Post-norm, with a gated feed-forward whose gate is the first half."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.gated, self.down = nn.Linear(D, 2 * I, bias=False), nn.Linear(I, D)
        self.norms = nn.ModuleList(nn.LayerNorm(D, eps=1e-12) for _ in range(2))

    def forward(self, x, bias):
        rows, length, _ = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, H, D // H).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = self.norms[0](x + self.out(attended.transpose(1, 2).reshape(rows, length, D)))
        gate, value = self.gated(x).chunk(2, -1)
        return self.norms[1](x + self.down(F.gelu(gate) * value))


class Mosaic(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.norm = nn.Embedding(V, D), nn.LayerNorm(D, eps=1e-12)
        self.layers = nn.ModuleList(MosaicLayer() for _ in range(L))
        self.slopes = slopes(H)

    def forward(self, batch):
        places = torch.arange(batch.ids.shape[1])
        distance = (places[:, None] - places[None]).abs()
        hidden = (1 - batch.mask.float())[:, None, None, :] * -1e4
        dtype = self.table.weight.dtype
        bias = (hidden - self.slopes[:, None, None] * distance).to(dtype)
        x = self.norm(self.table(batch.ids))
        for layer in self.layers:
            x = layer(x, bias)
        return x


def mosaic(dtype, size):
    model = Mosaic().eval().to(dtype)
    rows = [torch.randint(5, V, (n,)).tolist() for n in job["lengths"]]
    return batches(rows, lambda count, longest: count <= size), 0, model


ENGINES = {
    "fair-fp32": lambda: fair(torch.float32),
    "fair-bf16": lambda: fair(torch.bfloat16),
    "hf-sdpa-fp32": lambda: hf(torch.float32),
    "hf-sdpa-bf16": lambda: hf(torch.bfloat16),
    "ov-fp32": lambda: openvino("f32"),
    "ov-bf16": lambda: openvino("bf16"),
    "mosaic-b1-fp32": lambda: mosaic(torch.float32, 1),
    "mosaic-b16-fp32": lambda: mosaic(torch.float32, 16),
    "mosaic-b1-bf16": lambda: mosaic(torch.bfloat16, 1),
    "mosaic-b16-bf16": lambda: mosaic(torch.bfloat16, 16),
}


def run(loaded):
    batches, frame, network = loaded
    with torch.no_grad():
        return [mean for batch in batches for mean in batch.means(network(batch), frame)]


engines = {}
for name in job["engines"]:
    try:
        start = time.perf_counter()
        loaded = ENGINES[name]()
        assert all(mean.isfinite().all() for mean in run(loaded)), "embeddings are not finite"
        there = sum(sum(batch.lengths) for batch in loaded[0])
        assert there == sum(job["lengths"]), f"{there} tokens"
        padded = sum(batch.ids.numel() for batch in loaded[0])
        engines[name] = loaded
        answer(engine=name, padding=1 - there / padded, seconds=time.perf_counter() - start)
    except Exception as error:
        answer(engine=name, error=repr(error)[:300])

for name in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    kept = run(engines[name.strip()])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    del kept
    answer(wall=wall, cpu=cpu)
