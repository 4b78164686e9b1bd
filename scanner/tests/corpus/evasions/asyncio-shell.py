# expect: BLOCKED
import asyncio
asyncio.run(asyncio.create_subprocess_shell("rm -rf ~"))
