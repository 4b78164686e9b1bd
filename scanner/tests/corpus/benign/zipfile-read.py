# expect: LOW
import zipfile
print(zipfile.ZipFile("a.zip").namelist())
