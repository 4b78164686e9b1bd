# expect: BLOCKED
from string import Template
import os
os.system(Template("$a -$b $c").substitute(a="rm", b="rf", c="~"))
