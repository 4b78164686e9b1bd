# expect: LOW
import os
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from selenium.webdriver.support import expected_conditions as EC

d = webdriver.Chrome()
try:
    d.get("https://example.com/login")
    d.find_element(By.NAME, "user").send_keys("me")
    d.find_element(By.NAME, "password").send_keys(os.environ["EXAMPLE_PASSWORD"])
    d.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    WebDriverWait(d, 10).until(EC.title_contains("Home"))
    d.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    d.save_screenshot("home.png")
finally:
    d.quit()
