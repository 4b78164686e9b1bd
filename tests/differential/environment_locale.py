# env: {"LC_ALL": "C", "TZ": "Asia/Tokyo"}
import locale, sys, time
print(locale.setlocale(locale.LC_CTYPE), sys.stdout.encoding, time.tzname, time.timezone)
