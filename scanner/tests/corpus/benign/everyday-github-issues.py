# expect: LOW
import os
import requests

s = requests.Session()
s.headers["Authorization"] = f"Bearer {os.environ['GITHUB_TOKEN']}"
s.headers["Accept"] = "application/vnd.github+json"
url = "https://api.github.com/repos/psf/requests/issues"
while url:
    r = s.get(url, params={"per_page": 100})
    r.raise_for_status()
    for i in r.json():
        print(i["number"], i["title"])
    url = r.links.get("next", {}).get("url")
