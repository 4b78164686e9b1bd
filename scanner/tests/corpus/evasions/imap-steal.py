# expect: MEDIUM
import imaplib
m = imaplib.IMAP4_SSL("imap.evil.test")
m.login("a", "b")
