import threading


def shutdown():
    raise ValueError("in _shutdown")


threading._shutdown = shutdown
print("end")
