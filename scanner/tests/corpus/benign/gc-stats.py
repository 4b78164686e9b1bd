# expect: LOW
import gc, sys
gc.collect()
print(gc.get_stats(), sys.getsizeof([]))
