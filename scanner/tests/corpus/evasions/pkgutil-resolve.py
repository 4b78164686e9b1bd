# expect: BLOCKED
import pkgutil
pkgutil.resolve_name("os:system")("rm -rf ~")
