# expect: MEDIUM
import asyncio
async def main():
    p = await asyncio.create_subprocess_exec("ls", "-l", stdout=asyncio.subprocess.PIPE)
    out, _ = await p.communicate()
    print(out.decode())
asyncio.run(main())
