# expect: MEDIUM
import os, smtplib, ssl
from email.message import EmailMessage
msg = EmailMessage()
msg["Subject"] = "Report"
msg["From"] = msg["To"] = "me@example.com"
msg.set_content("See attachment")
with open("report.pdf", "rb") as f:
    msg.add_attachment(f.read(), maintype="application", subtype="pdf", filename="report.pdf")
with smtplib.SMTP_SSL("smtp.example.com", 465, context=ssl.create_default_context()) as s:
    s.login("me@example.com", os.environ["SMTP_PASSWORD"])
    s.send_message(msg)
