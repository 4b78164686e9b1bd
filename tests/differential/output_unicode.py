print("ünï — 日本語 \U0001f40d \u200d \ufeff")
print("\x1b[31mred\x1b[0m\a\b")
print("\udc80 surrogate")
