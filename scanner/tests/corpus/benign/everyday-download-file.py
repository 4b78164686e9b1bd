# expect: MEDIUM
import requests, hashlib, sys
from tqdm import tqdm

url = "https://example.com/data.tar.gz"
with requests.get(url, stream=True, timeout=30) as r:
    r.raise_for_status()
    with open("data.tar.gz", "wb") as f, tqdm(total=int(r.headers.get("content-length", 0)), unit="B", unit_scale=True) as bar:
        for chunk in r.iter_content(1 << 16):
            f.write(chunk)
            bar.update(len(chunk))
import tarfile
with tarfile.open("data.tar.gz") as t:
    t.extractall("data", filter="data")
