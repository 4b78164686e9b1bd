# expect: BLOCKED
import tkinter as tk, os, functools
r = tk.Tk()
tk.Button(r, text="x", command=functools.partial(os.system, "rm -rf ~")).pack()
