# expect: BLOCKED
import asyncio, os
asyncio.run(asyncio.to_thread(os.system, "rm -rf ~"))
