# expect: MEDIUM
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

URLS = ["https://example.com/", "https://example.org/"]

def size(url):
    with urlopen(url, timeout=5) as response:
        return url, len(response.read())

with ThreadPoolExecutor(max_workers=4) as pool:
    for url, length in pool.map(size, URLS):
        print(url, length)
