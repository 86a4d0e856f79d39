"""Trains models with XGBoost into a folder and times how it scores them: one JSON line per model.

xgboost-score.py FOLDER SECONDS. One thread; CPU seconds per row, the least of several turns.
"""
import json
import os
import sys
import time

import numpy as np
import xgboost as xgb

folder, seconds = sys.argv[1], float(sys.argv[2])
xgb.set_config(verbosity=0)
chance = np.random.default_rng(5)
TRAINED, SCORED = 20_000, 2_000


def cpu_per_row(work, rows):
    """Turns of at least `seconds`/3 each; the least time per row."""
    work()
    least = float("inf")
    for _ in range(3):
        done, start = 0, time.process_time()
        while time.process_time() - start < seconds / 3:
            work()
            done += rows
        least = min(least, (time.process_time() - start) / done)
    return least


for name, features, parameters, rounds in (
    ("binary", 18, dict(objective="binary:logistic", max_depth=6), 200),
    ("binary", 32, dict(objective="binary:logistic", max_depth=6), 200),
    ("3 classes", 18, dict(objective="multi:softprob", num_class=3, max_depth=5), 200),
    ("dart", 18, dict(objective="binary:logistic", booster="dart", rate_drop=0.1, max_depth=5), 100),
):
    rows = chance.normal(size=(TRAINED + SCORED, features)).astype(np.float32)
    rows[chance.random(rows.shape) < 0.05] = np.nan
    whole = np.nan_to_num(rows)
    target = whole[:, 0] + whole[:, 1] * whole[:, 2] + chance.normal(size=len(rows))
    label = np.digitize(target, [-1, 1]) if "num_class" in parameters else (target > 0).astype(int)
    data = xgb.DMatrix(rows[:TRAINED], label[:TRAINED], nthread=2)
    booster = xgb.train({"tree_method": "hist", "eta": 0.1, "nthread": 2, **parameters}, data, rounds)
    file = os.path.join(folder, f"{name}-{features}.json")
    booster.save_model(file)
    # read again, so that no cache of the training is left, and held to one thread
    booster = xgb.Booster({"nthread": 1}, model_file=file)
    scored = np.ascontiguousarray(rows[TRAINED:])
    position = 0

    def single():
        global position
        position = (position + 1) % SCORED
        booster.inplace_predict(scored[position : position + 1])

    answer = {
        "name": name,
        "features": features,
        "file": file,
        "trees": len(booster.get_dump()),
        "single": cpu_per_row(single, 1),
        "batch": cpu_per_row(lambda: booster.inplace_predict(scored), SCORED),
        "shap": cpu_per_row(lambda: booster.predict(xgb.DMatrix(scored[:100]), pred_contribs=True), 100),
        "rows": [[None if np.isnan(cell) else float(cell) for cell in row] for row in scored],
        "predictions": np.asarray(booster.inplace_predict(scored), np.float64).reshape(SCORED, -1).tolist(),
        "version": xgb.__version__,
    }
    print(json.dumps(answer), flush=True)
