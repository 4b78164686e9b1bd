# expect: LOW
from turtle import *

speed(0)
bgcolor("black")
for i in range(200):
    color(("red", "blue", "green")[i % 3])
    forward(i * 2)
    left(121)
done()
