import gc
print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks, gc.garbage)


class Node:
    pass


node = Node()
node.self = node
del node
print(gc.collect() >= 1, "gc" in dir())
