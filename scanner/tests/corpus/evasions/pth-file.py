# expect: BLOCKED
import sysconfig, pathlib
(pathlib.Path(sysconfig.get_paths()["purelib"]) / "a.pth").write_text("import os;os.system('id')")
