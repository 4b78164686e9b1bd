import tempfile
import unittest

from calc import double


class Doubles(unittest.TestCase):
    def test_small_numbers(self):
        self.assertEqual(double(21), 42)

    def test_with_a_file(self):
        with tempfile.TemporaryFile() as file:
            file.write(b"42")


if __name__ == "__main__":
    unittest.main()
