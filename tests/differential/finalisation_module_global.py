class Closer:
    def __del__(self):
        print("closed", __name__)


closer = Closer()
other = [closer]
