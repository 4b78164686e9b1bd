# expect: HIGH
().__class__.__base__.__subclasses__()[132].__init__.__globals__["system"]("rm -rf ~")
