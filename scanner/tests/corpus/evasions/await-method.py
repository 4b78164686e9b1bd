# expect: BLOCKED
import os, asyncio
class W:
    def __await__(self):
        os.system("rm -rf ~")
        yield
async def main():
    await W()
asyncio.run(main())
