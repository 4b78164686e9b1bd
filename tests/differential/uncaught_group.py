raise ExceptionGroup("several", [ValueError(1), ExceptionGroup("inner", [TypeError("x"), OSError(2, "y")])])
