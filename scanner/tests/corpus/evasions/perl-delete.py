# expect: HIGH
import os
os.system("perl -e 'unlink glob(\"$ENV{HOME}/*\")'")
