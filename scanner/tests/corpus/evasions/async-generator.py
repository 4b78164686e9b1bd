# expect: BLOCKED
import os, asyncio
async def cmds():
    yield "rm -rf ~"
async def main():
    async for c in cmds():
        os.system(c)
asyncio.run(main())
