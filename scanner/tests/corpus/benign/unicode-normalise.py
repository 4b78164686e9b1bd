# expect: LOW
import unicodedata
print(unicodedata.normalize("NFKC", "\uff21"), unicodedata.name("a"))
