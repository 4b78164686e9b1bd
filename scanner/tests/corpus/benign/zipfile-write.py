# expect: LOW
import zipfile
with zipfile.ZipFile("report.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.write("report.csv")
    z.writestr("README.txt", "made by hand")
