# expect: LOW
table = {"system": print}
table["system"]("rm -rf ~")
