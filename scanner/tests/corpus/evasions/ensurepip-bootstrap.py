# expect: MEDIUM
import ensurepip
ensurepip.bootstrap(user=True)
