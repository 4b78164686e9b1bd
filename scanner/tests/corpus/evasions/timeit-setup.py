# expect: BLOCKED
import timeit
timeit.Timer("pass", "import shutil; shutil.rmtree('/home')").timeit(1)
