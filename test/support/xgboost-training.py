"""Trains with real XGBoost: a list of requests as JSON on standard input, a list of answers on standard output.

{"columns": [[...]], "labels": [...], "weights": [...] or null, "parameters": {...}, "rounds": n, "model": file}
The answer holds its model as JSON text, its predictions and those of the model in the file. Missing values are null.
"""
import json
import sys
import tempfile
import warnings

import numpy as np
import xgboost as xgb

warnings.filterwarnings("ignore")
xgb.set_config(verbosity=0)


def train(columns, labels, weights, parameters, rounds, model):
    rows = np.array(columns, np.float32).T
    matrix = xgb.DMatrix(rows, np.array(labels, np.float32), weight=None if weights is None else np.array(weights, np.float32))
    booster = xgb.train({"tree_method": "hist", "nthread": 1, **parameters}, matrix, rounds)
    flat = lambda model: np.asarray(model.predict(matrix), np.float64).ravel().tolist()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        booster.save_model(file.name)
        text = open(file.name).read()
    return {"model": text, "predictions": flat(booster), "others": flat(xgb.Booster(model_file=model))}


json.dump([train(**request) for request in json.load(sys.stdin)], sys.stdout)
