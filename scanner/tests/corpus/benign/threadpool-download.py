# expect: LOW
from concurrent.futures import ThreadPoolExecutor, as_completed
import requests
def get(url):
    return url, requests.get(url, timeout=5).status_code
with ThreadPoolExecutor(8) as pool:
    futures = [pool.submit(get, u) for u in open("urls.txt").read().split()]
    for f in as_completed(futures):
        print(*f.result())
