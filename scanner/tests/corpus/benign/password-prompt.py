# expect: LOW
import getpass
password = getpass.getpass("Password: ")
