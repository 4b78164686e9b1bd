# expect: MEDIUM
import asyncio
async def handle(r, w):
    w.write(await r.read(100))
    await w.drain()
    w.close()
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 8888)
    async with server:
        await server.serve_forever()
asyncio.run(main())
