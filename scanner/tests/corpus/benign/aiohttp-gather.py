# expect: LOW
import asyncio, aiohttp
URLS = ["https://example.com", "https://python.org"]
async def fetch(session, url):
    async with session.get(url) as r:
        return url, r.status, len(await r.text())
async def main():
    async with aiohttp.ClientSession() as session:
        for result in await asyncio.gather(*(fetch(session, u) for u in URLS)):
            print(*result)
asyncio.run(main())
