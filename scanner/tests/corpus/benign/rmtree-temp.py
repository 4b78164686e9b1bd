# expect: MEDIUM
import shutil, tempfile
d = tempfile.mkdtemp()
shutil.rmtree(d)
