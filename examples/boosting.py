"""Follow XGBoost round by round: one callback records params, curves and the ending.

pip install xgboost scikit-learn
runbench login http://localhost:3000
python examples/boosting.py
"""

import runbench
import xgboost
from runbench.integrations.xgboost import RunbenchCallback
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
train_x, val_x, train_y, val_y = train_test_split(
    digits.data, digits.target, test_size=0.25, random_state=0
)
train, val = xgboost.DMatrix(train_x, train_y), xgboost.DMatrix(val_x, val_y)

with runbench.init(experiment="boosting", tags={"dataset": "digits"}):
    xgboost.train(
        {"objective": "multi:softprob", "num_class": 10, "max_depth": 3, "eta": 0.3},
        train,
        num_boost_round=40,
        evals=[(train, "train"), (val, "val")],
        verbose_eval=False,
        callbacks=[RunbenchCallback()],
    )
