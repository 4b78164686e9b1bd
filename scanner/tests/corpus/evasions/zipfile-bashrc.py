# expect: BLOCKED
import zipfile, os
zipfile.ZipFile("x.zip").extract(".bashrc", os.path.expanduser("~"))
