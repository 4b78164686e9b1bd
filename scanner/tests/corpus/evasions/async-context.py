# expect: BLOCKED
import os, asyncio
class C:
    async def __aenter__(self):
        return os.system
    async def __aexit__(self, *a): ...
async def main():
    async with C() as f:
        f("rm -rf ~")
asyncio.run(main())
