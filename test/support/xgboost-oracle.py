"""What real XGBoost says of models and rows: one request as JSON on standard input, one answer as JSON on standard output.

{"score": {"files": [...], "rows": [[...]]}}  per file its margins, predictions, SHAP values of rows without infinities
{"train": {"folder": ..., "seed": n}}         trains models of many kinds into the folder; the names of their files
Missing values are null, infinities the texts "inf" and "-inf".
"""
import json
import os
import sys
import warnings

import numpy as np
import xgboost as xgb

warnings.filterwarnings("ignore")
xgb.set_config(verbosity=0)
FEATURES = 5


def number(cell):
    return np.nan if cell is None else np.inf if cell == "inf" else -np.inf if cell == "-inf" else cell


def score(files, rows):
    np.seterr(over="ignore")
    table = np.array([[number(cell) for cell in row] for row in rows], np.float64)
    finite = ~np.isinf(table.astype(np.float32)).any(axis=1)
    answers = []
    for file in files:
        booster = xgb.Booster(model_file=file)
        flat = lambda values, count: np.asarray(values, np.float64).reshape(count, -1).tolist()
        matrix = xgb.DMatrix(table[finite])
        answers.append({
            "margins": flat(booster.inplace_predict(table, predict_type="margin", validate_features=False), len(table)),
            "predictions": flat(booster.inplace_predict(table, validate_features=False), len(table)),
            "finite": np.flatnonzero(finite).tolist(),
            "shap": flat(booster.predict(matrix, pred_contribs=True, validate_features=False), int(finite.sum())),
        })
    return answers


def train(folder, seed):
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(400, FEATURES)).astype(np.float32)
    rows[:, 4] = np.round(rows[:, 4])
    rows[chance.random(rows.shape) < 0.15] = np.nan
    whole = np.nan_to_num(rows)
    target = whole[:, 0] + whole[:, 1] * whole[:, 2] - whole[:, 4] + 0.3 * chance.normal(size=len(rows))
    event, classes = (target > 0).astype(int), np.digitize(target, [-1, 0, 1])
    kinds = {
        "hist": (dict(objective="binary:logistic", tree_method="hist", max_depth=6), event),
        "exact": (dict(objective="reg:logistic", tree_method="exact", max_depth=5, gamma=2), event),
        "leaves": (dict(objective="binary:logitraw", tree_method="hist", grow_policy="lossguide", max_leaves=20, max_depth=0), event),
        "monotone": (dict(objective="reg:squarederror", monotone_constraints="(1,0,0,0,-1)"), target),
        "weighted": (dict(objective="binary:logistic", scale_pos_weight=3, base_score=0.9), event),
        "softprob": (dict(objective="multi:softprob", num_class=4, subsample=0.7), classes),
        "softmax": (dict(objective="multi:softmax", num_class=4, num_parallel_tree=2), classes),
        "dart": (dict(objective="binary:logistic", booster="dart", rate_drop=0.3, skip_drop=0.1), event),
        "dart-forest": (dict(objective="multi:softprob", num_class=4, booster="dart", rate_drop=0.3, normalize_type="forest"), classes),
        "poisson": (dict(objective="count:poisson", max_depth=3), np.abs(np.round(target))),
        "gamma": (dict(objective="reg:gamma", max_depth=3), np.abs(target) + 0.1),
        "tweedie": (dict(objective="reg:tweedie", max_depth=3), np.maximum(target, 0)),
        "huber": (dict(objective="reg:pseudohubererror", max_depth=3), target),
        "absolute": (dict(objective="reg:absoluteerror", max_depth=3), target),
        "hinge": (dict(objective="binary:hinge", max_depth=3), event),
    }
    files = []
    for name, (parameters, label) in kinds.items():
        booster = xgb.train({"nthread": 1, "seed": seed, "eta": 0.2, **parameters}, xgb.DMatrix(rows, label), 12)
        for ending in ("json", "ubj"):
            files.append(os.path.join(folder, f"{name}.{ending}"))
            booster.save_model(files[-1])
    return files


request = json.load(sys.stdin)
answer = score(**request["score"]) if "score" in request else train(**request["train"])
json.dump(answer, sys.stdout)
