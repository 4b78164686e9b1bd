"""Fit a model on the customers' table and keep it."""
import pickle

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

table = pd.read_csv("customers.csv")
features = table.drop(columns=["left"])
train_x, test_x, train_y, test_y = train_test_split(features, table["left"], random_state=1)
model = LogisticRegression(max_iter=1000).fit(train_x, train_y)
print(f"accuracy {model.score(test_x, test_y):.3f}")
with open("model.pkl", "wb") as file:
    pickle.dump(model, file)
