# expect: BLOCKED
import os
[f(t) for n, t in [("system", "rm -rf ~")] if (f := getattr(os, n))]
