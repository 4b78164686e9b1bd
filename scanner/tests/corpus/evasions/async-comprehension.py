# expect: BLOCKED
import os, asyncio
async def get():
    return "rm -rf ~"
async def main():
    [os.system(c) for c in [await get()]]
asyncio.run(main())
