# expect: MEDIUM
import webbrowser
webbrowser.open("https://docs.python.org/3/")
