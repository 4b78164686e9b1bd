# expect: LOW
import tkinter as tk

root = tk.Tk()
count = tk.IntVar(value=0)
tk.Label(root, textvariable=count).pack()
tk.Button(root, text="+", command=lambda: count.set(count.get() + 1)).pack()
root.mainloop()
