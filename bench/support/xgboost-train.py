"""Trains with XGBoost on rows in files and says what it took: one JSON object.

xgboost-train.py FOLDER ROWS HELD_OUT FEATURES ROUNDS THREADS LOAD
FOLDER holds `values` and `labels` (float32, row after row; the held-out rows last). With LOAD the model `ours.json` is read
instead, and what it predicts for the held-out rows is written to `ours-by-xgboost`; otherwise the model is left as
`theirs.json`, its predictions as `theirs-by-xgboost`. CPU seconds are those of all threads from the rows in memory to the model.
"""
import json
import os
import resource
import sys

import numpy as np
import xgboost as xgb

folder = sys.argv[1]
rows, held_out, features, rounds, threads = map(int, sys.argv[2:7])
load = len(sys.argv) > 7
xgb.set_config(verbosity=0)
path = lambda name: os.path.join(folder, name)
values = np.fromfile(path("values"), np.float32).reshape(rows + held_out, features)
labels = np.fromfile(path("labels"), np.float32)


def cpu():
    used = os.times()
    return used.user + used.system


if load:
    booster = xgb.Booster(model_file=path("ours.json"))
    seconds = 0
else:
    before = cpu()
    matrix = xgb.DMatrix(values[:rows], labels[:rows], nthread=threads)
    booster = xgb.train(
        {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 6, "nthread": threads}, matrix, rounds
    )
    seconds = cpu() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
if held_out > 0:
    if not load:
        booster.save_model(path("theirs.json"))
    name = "ours-by-xgboost" if load else "theirs-by-xgboost"
    booster.set_param({"nthread": 1})
    booster.predict(xgb.DMatrix(values[rows:], nthread=1)).tofile(path(name))
print(json.dumps({"seconds": seconds, "peakMiB": peak, "version": xgb.__version__}))
