# expect: BLOCKED
import inspect, os
inspect.getattr_static(os, "system")("rm -rf ~")
