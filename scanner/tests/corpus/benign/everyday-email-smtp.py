# expect: MEDIUM
import os, smtplib, ssl
from email.message import EmailMessage

m = EmailMessage()
m["Subject"], m["From"], m["To"] = "Report", "me@example.com", "you@example.com"
m.set_content("See attachment")
with open("report.pdf", "rb") as f:
    m.add_attachment(f.read(), maintype="application", subtype="pdf", filename="report.pdf")
with smtplib.SMTP_SSL("smtp.example.com", 465, context=ssl.create_default_context()) as s:
    s.login(os.environ["SMTP_USER"], os.environ["SMTP_PASSWORD"])
    s.send_message(m)
