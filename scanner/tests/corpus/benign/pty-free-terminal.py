# expect: LOW
import shutil, sys
print(shutil.get_terminal_size().columns, sys.stdout.isatty())
