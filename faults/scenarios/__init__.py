"""Each module is one fault of the list F1 to F15: its docstring says what is done, `run` does it."""
