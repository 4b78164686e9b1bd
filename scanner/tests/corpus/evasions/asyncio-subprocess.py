# expect: BLOCKED
import asyncio
async def main():
    proc = await asyncio.create_subprocess_exec("rm", "-rf", "/home")
    await proc.wait()
asyncio.run(main())
