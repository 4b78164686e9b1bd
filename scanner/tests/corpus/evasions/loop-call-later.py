# expect: BLOCKED
import asyncio, os
loop = asyncio.new_event_loop()
loop.call_later(1, os.system, "rm -rf ~")
loop.run_forever()
