# expect: BLOCKED
import os, asyncio
async def main():
    os.system("rm -rf ~")
asyncio.run(main())
