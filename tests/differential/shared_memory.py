from multiprocessing import Process, Value
from multiprocessing.shared_memory import SharedMemory


def fill(name, value):
    memory = SharedMemory(name)
    memory.buf[:5] = b"child"
    memory.close()
    value.value += 41


if __name__ == "__main__":
    memory = SharedMemory(create=True, size=64)
    value = Value("i", 1)
    child = Process(target=fill, args=(memory.name, value))
    child.start()
    child.join()
    print(bytes(memory.buf[:5]), value.value)
    memory.close()
    memory.unlink()
