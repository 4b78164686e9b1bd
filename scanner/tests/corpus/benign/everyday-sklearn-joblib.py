# expect: MEDIUM
import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

X, y = load_iris(return_X_y=True)
m = RandomForestClassifier(n_estimators=200, random_state=0)
print(cross_val_score(m, X, y, cv=5).mean())
m.fit(X, y)
joblib.dump(m, "m.joblib")
m2 = joblib.load("m.joblib")
print(m2.predict(X[:3]))
