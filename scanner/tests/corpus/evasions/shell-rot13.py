# expect: BLOCKED
import codecs, os
os.system(codecs.decode("ez -es ~", "rot13"))
