# expect: LOW
import os
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
print(os.environ["OMP_NUM_THREADS"])
