# expect: LOW
Point = type("Point", (), {"x": 1})
