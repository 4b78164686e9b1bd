# expect: LOW
import csv
import requests
from bs4 import BeautifulSoup
rows = []
for page in range(1, 6):
    html = requests.get(f"https://books.toscrape.com/catalogue/page-{page}.html", timeout=10).text
    soup = BeautifulSoup(html, "html.parser")
    for book in soup.select("article.product_pod"):
        rows.append([book.h3.a["title"], book.select_one(".price_color").text])
with open("books.csv", "w", newline="") as f:
    csv.writer(f).writerows(rows)
