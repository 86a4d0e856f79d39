"""Optuna's TPESampler on Branin, Hartmann-6 and Rosenbrock-5: one JSON line for each problem and mode.

Usage: optuna-tpe.py SEEDS TRIALS. Times are CPU seconds of whole studies, the functions included.
"""
import json
import math
import sys
import time
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

WIDTHS = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
CENTRES = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]
DEPTHS = [1, 1.2, 3, 3.2]


def branin(x):
    valley = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10


def hartmann6(x):
    total = 0.0
    for depth, widths, centres in zip(DEPTHS, WIDTHS, CENTRES):
        total -= depth * math.exp(-sum(w * (v - c) ** 2 for w, v, c in zip(widths, x, centres)))
    return total


def rosenbrock5(x):
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(4))


PROBLEMS = [
    ("Branin", branin, [(-5, 10), (0, 15)]),
    ("Hartmann-6", hartmann6, [(0, 1)] * 6),
    ("Rosenbrock-5", rosenbrock5, [(-5, 10)] * 5),
]

seeds, trials = int(sys.argv[1]), int(sys.argv[2])
for name, function, bounds in PROBLEMS:

    def objective(trial):
        return function([trial.suggest_float(f"x{i}", low, high) for i, (low, high) in enumerate(bounds)])

    for multivariate in (False, True):
        bests = []
        seconds = 0.0
        for seed in range(seeds):
            study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, multivariate=multivariate))
            before = time.process_time()
            study.optimize(objective, n_trials=trials)
            seconds += time.process_time() - before
            bests.append(study.best_value)
        row = {"problem": name, "multivariate": multivariate, "bests": bests, "seconds": seconds}
        print(json.dumps({**row, "version": optuna.__version__}), flush=True)
