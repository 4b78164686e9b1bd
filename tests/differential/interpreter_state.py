# normalise: ["addresses"]
import sys
print(sorted(sys.modules))
print(sys.path)
print(sorted(sys.path_importer_cache))
print(sys.flags)
print(sys._xoptions, sys.warnoptions, sys.executable, sys._base_executable, sys.prefix, sys.exec_prefix)
print(sys.meta_path, sys.path_hooks)
print(sys.implementation.cache_tag, sys.dont_write_bytecode, sys.pycache_prefix)
print(sys.gettrace(), sys.getprofile(), sys.getswitchinterval())
print(hasattr(sys, "last_value"), sys.exc_info(), sys.is_finalizing())
print(len(sys.builtin_module_names), sys.float_repr_style, sys.hash_info.algorithm)
