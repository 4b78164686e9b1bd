# expect: BLOCKED
import csv, os
for row in csv.reader(["rm -rf ~"]):
    os.system(row[0])
