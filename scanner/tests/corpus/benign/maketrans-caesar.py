# expect: LOW
import string
a = string.ascii_lowercase
print("uryyb".translate(str.maketrans(a, a[13:] + a[:13])))
