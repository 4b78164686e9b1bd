# expect: LOW
import turtle
turtle.forward(10)
