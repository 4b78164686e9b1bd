import sys
if __name__ == "__main__":
    import import_self
    print(import_self.__name__, import_self.__file__, import_self is sys.modules["__main__"])
else:
    print("imported as", __name__, "cached", __cached__)
