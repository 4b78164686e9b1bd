# expect: MEDIUM
import asyncio, websockets


async def echo(ws):
    async for m in ws:
        await ws.send(m.upper())


async def main():
    async with websockets.serve(echo, "localhost", 8765):
        await asyncio.Future()


asyncio.run(main())
