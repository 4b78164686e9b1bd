# expect: LOW
import unicodedata
print(unicodedata.normalize("NFKC", "\ufb01le").casefold())
