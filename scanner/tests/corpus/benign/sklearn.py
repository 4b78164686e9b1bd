# expect: LOW
from sklearn.linear_model import LinearRegression
LinearRegression().fit([[1]], [1])
