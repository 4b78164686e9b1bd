# expect: MEDIUM
import requests
from bs4 import BeautifulSoup

soup = BeautifulSoup(requests.get("https://news.ycombinator.com/").text, "html.parser")
for link in soup.select(".titleline > a"):
    print(link.get_text(), link["href"])
