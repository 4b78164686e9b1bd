# expect: MEDIUM
import ctypes

u = ctypes.windll.user32
print(u.GetSystemMetrics(0), u.GetSystemMetrics(1))
ctypes.windll.user32.MessageBoxW(0, "Hello", "Title", 0)
