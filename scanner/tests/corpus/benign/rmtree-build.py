# expect: MEDIUM
import shutil
shutil.rmtree("build", ignore_errors=True)
