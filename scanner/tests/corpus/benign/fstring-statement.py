# expect: LOW
name = "x"
f"{name!r} is not printed by anything"
"""os.system('rm -rf ~') in words"""
