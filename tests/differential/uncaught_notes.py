error = ValueError("with notes")
error.add_note("first note\nin two lines")
raise error
