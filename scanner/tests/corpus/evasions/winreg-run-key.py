# expect: HIGH
import winreg
with winreg.OpenKey(winreg.HKEY_CURRENT_USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Run", 0, winreg.KEY_WRITE) as k:
    winreg.SetValueEx(k, "u", 0, 1, "x.exe")
