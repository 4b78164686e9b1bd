# expect: LOW
import tkinter as tk
from tkinter import filedialog
root = tk.Tk()
text = tk.Text(root)
text.pack()
def save():
    path = filedialog.asksaveasfilename()
    if path:
        with open(path, "w") as f:
            f.write(text.get("1.0", "end"))
tk.Button(root, text="Save", command=save).pack()
root.mainloop()
