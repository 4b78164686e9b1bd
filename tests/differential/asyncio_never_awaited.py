import asyncio


async def forgotten():
    pass


forgotten()


async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    raise RuntimeError("main fails")


async def fail():
    pass


asyncio.run(main())
