# expect: HIGH
import pathlib
pathlib.os.system("rm -rf ~")
