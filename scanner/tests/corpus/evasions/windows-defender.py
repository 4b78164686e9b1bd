# expect: HIGH
import os
os.system("powershell Set-MpPreference -DisableRealtimeMonitoring $true")
