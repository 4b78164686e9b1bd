# expect: LOW
import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = load_iris(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)
pipe = make_pipeline(StandardScaler(), RandomForestClassifier())
grid = GridSearchCV(pipe, {"randomforestclassifier__n_estimators": [10, 100]}, n_jobs=-1)
grid.fit(Xtr, ytr)
print(grid.score(Xte, yte))
joblib.dump(grid.best_estimator_, "model.joblib")
