# expect: MEDIUM
import requests

def weather(city):
    response = requests.get("https://api.open-meteo.com/v1/forecast", params={"q": city}, timeout=10)
    response.raise_for_status()
    return response.json()["current"]["temperature"]

print(weather("Paris"))
