# expect: BLOCKED
(__import__("os").system, print)[0](*("rm -rf ~",))
