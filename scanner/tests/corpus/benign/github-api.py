# expect: MEDIUM
import os, requests
s = requests.Session()
s.headers["Authorization"] = f"token {os.environ['GITHUB_TOKEN']}"
for repo in s.get("https://api.github.com/user/repos").json():
    print(repo["full_name"], repo["stargazers_count"])
