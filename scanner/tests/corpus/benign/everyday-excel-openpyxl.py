# expect: LOW
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font

wb = Workbook()
ws = wb.active
ws.append(["name", "n"])
for i in range(10):
    ws.append([f"row {i}", i])
for c in ws[1]:
    c.font = Font(bold=True)
ws["C1"] = "=SUM(B2:B11)"
wb.save("a.xlsx")
print([[c.value for c in r] for r in load_workbook("a.xlsx").active.iter_rows()])
