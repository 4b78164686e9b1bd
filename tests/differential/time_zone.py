import datetime, time, zoneinfo
print(time.tzname, time.timezone, time.daylight)
moment = datetime.datetime(2026, 7, 1, 12, tzinfo=datetime.timezone.utc)
print(moment.astimezone(zoneinfo.ZoneInfo("America/New_York")), moment.astimezone())
