# expect: LOW
class Machine:
    def system(self, text):
        return text
Machine().system("rm -rf ~")
