# expect: LOW
import asyncio, json, websockets


async def main():
    async with websockets.connect("wss://stream.example.com/ws/btcusdt@trade") as ws:
        for _ in range(10):
            print(json.loads(await ws.recv())["p"])


asyncio.run(main())
