"""Makes the boosted models that the tests read, with real XGBoost (1.7.4, Debian's python3-xgboost).

/usr/bin/python3 scripts/make-boosted-fixtures.py

Per model: NAME.json and NAME.ubj as XGBoost saves them, and NAME.expected.json with rows (null is missing) and what
XGBoost says of them: margins, predictions, SHAP values, importances. Rows sit exactly on thresholds and right beside
them, on denormals, on the largest numbers and on infinities, and miss values.
"""
import json
import os
import warnings

import numpy as np
import xgboost as xgb

warnings.filterwarnings("ignore")
FOLDER = os.path.join(os.path.dirname(__file__), "../test/fixtures/boosting")
FEATURES = 4
KINDS = ("weight", "gain", "cover", "total_gain", "total_cover")


def training_rows(chance, count):
    rows = chance.normal(size=(count, FEATURES)).astype(np.float32)
    rows[chance.random(rows.shape) < 0.1] = np.nan
    whole = np.nan_to_num(rows)
    return rows, whole[:, 0] + whole[:, 1] * whole[:, 2] + 0.3 * chance.normal(size=count)


def hostile_rows(booster, rows, chance):
    """Rows of the training data with thresholds of the model and other traps put in."""
    booster_part = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    trees = (booster_part.get("gbtree") or booster_part)["model"]["trees"]
    splits = [
        (feature, np.float32(threshold))
        for tree in trees
        for child, feature, threshold in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"])
        if child != -1
    ]
    out = rows[:24].copy()
    for row in range(0, 15):
        feature, threshold = splits[int(chance.integers(len(splits)))]
        beside = (threshold, np.nextafter(threshold, np.float32(np.inf)), np.nextafter(threshold, np.float32(-np.inf)))
        out[row, feature] = beside[row % 3]
    traps = (1e-45, -1e-45, 3.4e38, -3.4e38, np.inf, -np.inf, 0.0, -0.0)
    for row, trap in enumerate(traps, start=15):
        out[row, row % FEATURES] = np.float32(trap)
    out[23, :] = np.nan
    return out


def plain(values):
    """Nested lists; null for missing, texts for infinities."""
    if isinstance(values, list):
        return [plain(value) for value in values]
    if values != values:
        return None
    return values if abs(values) != np.inf else ("inf" if values > 0 else "-inf")


def make(name, parameters, label, rounds, chance):
    rows, score = training_rows(chance, 300)
    data = xgb.DMatrix(rows, label(score), feature_names=["a", "b", "c", "d"])
    booster = xgb.train({"eta": 0.3, "nthread": 1, **parameters}, data, rounds, verbose_eval=False)
    for ending in ("json", "ubj"):
        booster.save_model(os.path.join(FOLDER, f"{name}.{ending}"))
    hostile = hostile_rows(booster, rows, chance)
    count = len(hostile)
    # inplace_predict takes infinities, a DMatrix does not
    infinite = np.isinf(hostile).any(axis=1)
    finite = xgb.DMatrix(hostile[~infinite], feature_names=["a", "b", "c", "d"])
    flat = lambda values, rows=count: plain(np.asarray(values, np.float64).reshape(rows, -1).tolist())
    expected = {
        "rows": plain(hostile.astype(float).tolist()),
        "margins": flat(booster.inplace_predict(hostile, predict_type="margin")),
        "predictions": flat(booster.inplace_predict(hostile)),
        "finite": np.flatnonzero(~infinite).tolist(),
        "shap": flat(booster.predict(finite, pred_contribs=True), int((~infinite).sum())),
        "importances": {kind: booster.get_score(importance_type=kind) for kind in KINDS},
    }
    with open(os.path.join(FOLDER, f"{name}.expected.json"), "w", encoding="utf8") as file:
        json.dump(expected, file, separators=(",", ":"))
        file.write("\n")
    print(name, len(booster.get_dump()), "trees")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    chance = np.random.default_rng(20240101)
    binary = lambda score: (score > 0).astype(int)
    three = lambda score: np.digitize(score, [-0.5, 0.5])
    make("binary", dict(objective="binary:logistic", max_depth=4, base_score=0.37), binary, 8, chance)
    make("pruned", dict(objective="binary:logitraw", max_depth=4, gamma=4, tree_method="exact"), binary, 6, chance)
    make("softprob", dict(objective="multi:softprob", num_class=3, max_depth=3), three, 4, chance)
    forest = dict(objective="multi:softmax", num_class=3, max_depth=3, num_parallel_tree=2, subsample=0.6, seed=7)
    make("forest", forest, three, 2, chance)
    dart = dict(objective="binary:logistic", booster="dart", rate_drop=0.5, max_depth=3, seed=3)
    make("dart", dart, binary, 8, chance)
    make("squared", dict(objective="reg:squarederror", max_depth=4), lambda score: score * 3, 6, chance)
    make("poisson", dict(objective="count:poisson", max_depth=3), lambda score: np.abs(np.round(score)), 6, chance)
    targets = lambda score: np.stack([score, -2 * score], axis=1)
    make("targets", dict(objective="reg:squarederror", tree_method="hist", max_depth=3), targets, 4, chance)


if __name__ == "__main__":
    main()
