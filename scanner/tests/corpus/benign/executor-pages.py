# expect: MEDIUM
import asyncio, urllib.request
def get(u):
    with urllib.request.urlopen(u, timeout=5) as r:
        return len(r.read())
async def main():
    loop = asyncio.get_running_loop()
    print(await asyncio.gather(*(loop.run_in_executor(None, get, u) for u in ["https://example.com"])))
asyncio.run(main())
