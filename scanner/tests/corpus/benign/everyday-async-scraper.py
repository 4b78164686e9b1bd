# expect: LOW
import asyncio
import aiohttp
from bs4 import BeautifulSoup

URLS = ["https://example.com/a", "https://example.com/b"]


async def fetch(session, url):
    async with session.get(url, timeout=aiohttp.ClientTimeout(total=10)) as r:
        r.raise_for_status()
        return url, await r.text()


async def main():
    async with aiohttp.ClientSession(headers={"User-Agent": "bot"}) as s:
        for task in asyncio.as_completed([fetch(s, u) for u in URLS]):
            url, html = await task
            soup = BeautifulSoup(html, "html.parser")
            print(url, soup.title.string if soup.title else "-")
            with open(url.rsplit("/", 1)[-1] + ".html", "w") as f:
                f.write(html)


asyncio.run(main())
