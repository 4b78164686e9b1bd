# expect: LOW
class os:
    @staticmethod
    def system(text):
        return text
os.system("rm -rf ~")
