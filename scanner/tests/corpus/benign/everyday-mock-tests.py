# expect: LOW
import unittest
from unittest.mock import patch, MagicMock
import os, subprocess
import app


class T(unittest.TestCase):
    @patch("app.subprocess.run")
    def test_run(self, run):
        run.return_value = MagicMock(returncode=0, stdout="ok")
        self.assertEqual(app.deploy(), "ok")
        run.assert_called_once_with(["git", "push"], check=True)

    @patch.dict(os.environ, {"API_KEY": "test-key"})
    def test_env(self):
        self.assertEqual(app.key(), "test-key")

    @patch("app.shutil.rmtree")
    @patch("app.requests.get", side_effect=OSError)
    def test_fail(self, get, rm):
        with self.assertRaises(OSError):
            app.fetch()
        rm.assert_not_called()


if __name__ == "__main__":
    unittest.main()
