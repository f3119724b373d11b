"""Makes the files of the Python tools, and times torch.load: one line in, one line out."""
import gc, sys, time
import torch

rows, directory = int(sys.argv[1]), sys.argv[2]
ids = [f"read{row // 6}_chunk_1F{row % 3 + 1}" for row in range(rows)]
torch.manual_seed(0)

def save(name, value):
    torch.save(value, f"{directory}/{name}.pt")

save("merged", {"ids": ids, "data": torch.randn(rows, 3328)})
features = torch.randn(rows, 768).tolist()
save("dnabert", {"nucleotide": ids,
                 "data": [{"label": i, "mean_representation": f} for i, f in zip(ids, features)]})
save("esm", {"proteins": ids, "data": [row.clone() for row in torch.randn(rows, 2560)]})
del features
print("ready", torch.__version__, flush=True)
for path in sys.stdin:
    gc.collect()
    start = time.perf_counter()
    loaded = torch.load(path.strip(), weights_only=False)
    print(time.perf_counter() - start, flush=True)
    del loaded
