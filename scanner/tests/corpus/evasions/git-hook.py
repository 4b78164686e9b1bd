# expect: BLOCKED
open(".git/hooks/pre-commit", "w").write("#!/bin/sh\n")
