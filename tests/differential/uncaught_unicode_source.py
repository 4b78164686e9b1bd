größe = "日本語"
raise ValueError(f"{größe} — {'ü' * 3}")
