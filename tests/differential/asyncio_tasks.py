import asyncio


async def work(n):
    await asyncio.sleep(0.01 * (3 - n))
    print("done", n)
    return n


async def main():
    print(await asyncio.gather(*(work(n) for n in range(3))))
    process = await asyncio.create_subprocess_exec("echo", "hi", stdout=asyncio.subprocess.PIPE)
    print(await process.communicate())
    print(await asyncio.to_thread(sum, range(10)))


asyncio.run(main())
