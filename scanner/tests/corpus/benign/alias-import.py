# expect: LOW
import os as harmless
print(harmless.getcwd())
