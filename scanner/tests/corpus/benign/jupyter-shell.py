# expect: LOW
import getpass, sys, textwrap
user = getpass.getuser()
print(textwrap.fill(f"Hello {user}, this is Python {sys.version}", 40))
