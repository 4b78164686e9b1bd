try:
    quit(3)
except SystemExit as stop:
    print("caught", stop.code)
exit(4)
