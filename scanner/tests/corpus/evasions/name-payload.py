# expect: HIGH
import os
class rm_rf: pass
os.system(rm_rf.__name__.replace("_", " ") + " ~")
