# expect: BLOCKED
import codecs, os
os.system(codecs.getdecoder("rot13")("ez -es ~")[0])
