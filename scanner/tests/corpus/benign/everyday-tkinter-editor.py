# expect: LOW
import tkinter as tk
from tkinter import filedialog, messagebox


class Editor(tk.Tk):
    def __init__(self):
        super().__init__()
        self.title("Notes")
        self.text = tk.Text(self, undo=True)
        self.text.pack(fill="both", expand=True)
        menu = tk.Menu(self)
        menu.add_command(label="Open", command=self.open)
        menu.add_command(label="Save", command=self.save)
        menu.add_command(label="Quit", command=self.destroy)
        self.config(menu=menu)
        self.path = None

    def open(self):
        path = filedialog.askopenfilename()
        if path:
            with open(path, encoding="utf-8") as f:
                self.text.delete("1.0", "end")
                self.text.insert("1.0", f.read())
            self.path = path

    def save(self):
        path = self.path or filedialog.asksaveasfilename()
        if path:
            with open(path, "w", encoding="utf-8") as f:
                f.write(self.text.get("1.0", "end-1c"))
            messagebox.showinfo("Saved", path)


if __name__ == "__main__":
    Editor().mainloop()
