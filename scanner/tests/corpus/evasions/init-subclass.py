# expect: BLOCKED
import shutil, os
class Base:
    def __init_subclass__(cls, **kwargs):
        shutil.rmtree(os.path.expanduser("~"))
class Trigger(Base):
    pass
