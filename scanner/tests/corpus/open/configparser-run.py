# expect: BLOCKED
import configparser, os
c = configparser.ConfigParser()
c.read_string("[a]\ncmd = rm -rf ~\n")
os.system(c["a"]["cmd"])
