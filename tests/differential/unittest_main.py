# normalise: ["durations"]
import unittest


class Tests(unittest.TestCase):
    def test_good(self):
        self.assertEqual(1, 1)

    def test_bad(self):
        self.assertEqual([1, 2], [1, 3])


if __name__ == "__main__":
    unittest.main()
