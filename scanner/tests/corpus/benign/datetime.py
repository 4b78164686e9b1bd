# expect: LOW
from datetime import datetime
print(datetime.now().isoformat())
