"""Send the weekly report to the team."""
import smtplib
from email.message import EmailMessage

PASSWORD = "hunter2-But-Longer-9481"

message = EmailMessage()
message["Subject"] = "Weekly report"
message["From"] = "reports@example.com"
message["To"] = "team@example.com"
with open("report.txt") as report:
    message.set_content(report.read())
with smtplib.SMTP_SSL("smtp.example.com", 465) as server:
    server.login("reports@example.com", PASSWORD)
    server.send_message(message)
