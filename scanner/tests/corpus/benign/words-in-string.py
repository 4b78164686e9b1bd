# expect: LOW
print("os.system('rm -rf ~') is what an attacker writes")
