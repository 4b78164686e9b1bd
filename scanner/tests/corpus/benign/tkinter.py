# expect: LOW
import tkinter as tk
root = tk.Tk()
root.title("hi")
