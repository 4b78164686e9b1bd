# expect: MEDIUM
import os, smtplib
from email.message import EmailMessage
m = EmailMessage()
m["To"] = "team@example.com"
m.set_content("The nightly report is ready.")
with smtplib.SMTP("localhost") as s:
    s.send_message(m)
