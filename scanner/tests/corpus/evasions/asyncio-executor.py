# expect: BLOCKED
import asyncio, os
async def main():
    await asyncio.get_running_loop().run_in_executor(None, os.system, "rm -rf ~")
asyncio.run(main())
