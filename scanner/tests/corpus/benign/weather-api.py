# expect: MEDIUM
import os, sys
import requests
KEY = os.environ["OPENWEATHER_API_KEY"]
def fetch(city):
    r = requests.get("https://api.openweathermap.org/data/2.5/weather", params={"q": city, "appid": KEY, "units": "metric"}, timeout=10)
    r.raise_for_status()
    return r.json()
data = fetch(sys.argv[1])
print(f"{data['name']}: {data['main']['temp']} C")
