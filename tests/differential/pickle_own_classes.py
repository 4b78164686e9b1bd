import copy, dataclasses, enum, pickle


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Colour(enum.Enum):
    RED = 1


data = pickle.dumps([Point(1, 2), Colour.RED, Point])
print(pickle.loads(data), b"__main__" in data)
print(copy.deepcopy(Point(3, 4)))
try:
    pickle.dumps(lambda: None)
except (pickle.PicklingError, AttributeError) as error:
    print("cannot", str(error).split(" at ")[0])
