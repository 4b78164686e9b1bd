# expect: LOW
import os, requests

Q = """
query($login: String!) { user(login: $login) { repositories(first: 10) { nodes { name } } } }
"""
r = requests.post("https://api.github.com/graphql", json={"query": Q, "variables": {"login": "octocat"}},
                  headers={"Authorization": f"bearer {os.environ['GH_TOKEN']}"}, timeout=10)
print([n["name"] for n in r.json()["data"]["user"]["repositories"]["nodes"]])
