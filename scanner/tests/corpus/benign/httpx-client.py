# expect: MEDIUM
import httpx
with httpx.Client() as client:
    print(client.get("https://example.com").text)
