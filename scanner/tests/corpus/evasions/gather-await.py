# expect: BLOCKED
import os, asyncio
async def run(c):
    os.system(c)
async def main():
    await asyncio.gather(*(run(c) for c in ("id", "rm -rf ~")))
asyncio.run(main())
