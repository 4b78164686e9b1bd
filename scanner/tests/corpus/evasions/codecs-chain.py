# expect: BLOCKED
import codecs, os
text = codecs.decode(codecs.encode("rm -rf ~", "rot13"), "rot13")
os.system(codecs.decode(codecs.encode(text.encode(), "hex"), "hex").decode())
