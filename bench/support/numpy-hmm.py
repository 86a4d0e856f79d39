"""Baum-Welch for a Gaussian hidden Markov model in numpy, two ways. Reads a job as JSON, prints a result as JSON.

Usage: numpy-hmm.py JOB.json. The job names a file of float64 rows, their dimensions, the parameters to start from, the
number of maximisation steps and the way:
  loop  everything is vectorised but the recursions, which go through the rows one by one (as most such code does)
  scan  the rows are cut into sqrt(N) pieces that walk side by side: products of transfer matrices join the pieces,
        so that Python makes about 4 sqrt(N) steps instead of 2 N
Both are scaled, floor eigenvalues like ours, and count CPU seconds of the steps alone, after a warm-up.
"""
import json
import sys
import time

import numpy as np


def log_densities(x, means, covariances):
    n, d = x.shape
    out = np.empty((n, len(means)))
    for s, (mean, covariance) in enumerate(zip(means, covariances)):
        lower = np.linalg.cholesky(covariance)
        away = x - mean
        white = away / lower[0, 0] if d == 1 else away @ np.linalg.inv(lower).T
        np.einsum("ij,ij->i", white, white, out=out[:, s])
        out[:, s] *= -0.5
        out[:, s] -= 0.5 * d * np.log(2 * np.pi) + np.log(np.diag(lower)).sum()
    return out


def relative(logs):
    """Densities relative to the row's best, and the sum of the logarithms of the best."""
    best = logs.max(axis=1)
    logs -= best[:, None]
    return np.exp(logs, out=logs), best.sum()


def recursions_by_loop(initial, transition, dense):
    n, k = dense.shape
    forward = np.empty((n, k))
    scale = np.empty(n)
    row = initial * dense[0]
    for t in range(n):
        if t > 0:
            row = (row @ transition) * dense[t]
        scale[t] = row.sum()
        row = row / scale[t]
        forward[t] = row
    ahead = dense / scale[:, None]
    backward = np.empty((n, k))
    row = np.ones(k)
    backward[n - 1] = row
    for t in range(n - 2, -1, -1):
        row = transition @ (ahead[t + 1] * row)
        backward[t] = row
    return forward, backward, ahead, np.log(scale).sum()


def recursions_by_scan(initial, transition, dense):
    k = dense.shape[1]
    first = initial * dense[0]
    first_scale = first.sum()
    first = first / first_scale
    n = len(dense) - 1
    length = int(np.ceil(np.sqrt(n)))
    pieces = -(-n // length)
    # rows behind the last are made up: only the last piece has them, and it leaves them out
    padded = np.ones((pieces * length, k))
    padded[:n] = dense[1:]
    last = n - (pieces - 1) * length
    # step, piece, state: what one step needs lies together
    steps = np.ascontiguousarray(padded.reshape(pieces, length, k).transpose(1, 0, 2))
    transfer = np.broadcast_to(np.eye(k), (pieces - 1, k, k)).copy()
    for i in range(length):
        transfer = (transfer.reshape(-1, k) @ transition).reshape(-1, k, k)
        transfer *= steps[i, :-1, None, :]
        transfer *= (1 / transfer.sum(axis=(1, 2)))[:, None, None]
    entry = np.empty((pieces, k))
    entry[0] = first
    for p in range(pieces - 1):
        row = entry[p] @ transfer[p]
        entry[p + 1] = row / row.sum()
    forward = np.zeros((length, pieces, k))
    scale = np.ones((length, pieces))
    rows = entry
    for i in range(length):
        if i == last:
            rows = rows[:-1]
        rows = (rows @ transition) * steps[i, : len(rows)]
        sums = rows.sum(axis=1)
        rows /= sums[:, None]
        scale[i, : len(rows)] = sums
        forward[i, : len(rows)] = rows
    ahead = steps / scale[:, :, None]
    # the backward variable behind each piece, scaled so that its product with the filtered probabilities is 1
    leave = np.ones((pieces, k))
    tail = leave[-1]
    for i in range(last - 1, -1, -1):
        tail = transition @ (ahead[i, -1] * tail)
    row = tail
    for p in range(pieces - 2, -1, -1):
        leave[p] = row / (row @ entry[p + 1])
        row = transfer[p] @ leave[p]
    backward = np.empty((length, pieces, k))
    rows = leave[:-1]
    for i in range(length - 1, -1, -1):
        if i == last - 1:
            rows = np.concatenate([rows, leave[-1:]])
        backward[i, : len(rows)] = rows
        rows = (ahead[i, : len(rows)] * rows) @ transition.T
    flat = lambda start, a: np.concatenate([start[None], a.transpose(1, 0, 2).reshape(-1, k)[:n]])
    logs = np.log(scale).sum() + np.log(first_scale)
    return flat(first, forward), flat(rows[0], backward), flat(dense[0], ahead), logs


def step(x, model, recursions, floor):
    initial, transition, means, covariances = model
    dense, logs = relative(log_densities(x, means, covariances))
    forward, backward, ahead, more = recursions(initial, transition, dense)
    if floor is None:
        return logs + more, model
    moves = (forward[:-1].T @ (ahead[1:] * backward[1:])) * transition
    posterior = forward * backward
    weight = posterior.sum(axis=0)
    d = x.shape[1]
    new_means = (posterior.T @ x) / weight[:, None]
    new = np.empty_like(covariances)
    for s in range(len(weight)):
        away = x - new_means[s]
        if d == 1:
            new[s] = max((posterior[:, s] @ (away[:, 0] * away[:, 0])) / weight[s], floor)
        else:
            covariance = (away * posterior[:, s, None]).T @ away / weight[s]
            values, vectors = np.linalg.eigh(covariance)
            new[s] = (vectors * np.maximum(values, floor)) @ vectors.T
    return logs + more, (posterior[0] / posterior[0].sum(), moves / moves.sum(axis=1, keepdims=True), new_means, new)


job = json.load(open(sys.argv[1]))
rows = np.fromfile(job["rows"]).reshape(-1, job["dimensions"])
begin = tuple(np.array(job[name]) for name in ("initial", "transition", "means", "covariances"))
way = {"loop": recursions_by_loop, "scan": recursions_by_scan}[job["way"]]
step(rows[:2000], begin, way, job["floor"])
seconds = []
for _ in range(job["rounds"]):
    before = time.process_time()
    model = begin
    for _ in range(job["steps"]):
        _, model = step(rows, model, way, job["floor"])
    likelihood, _ = step(rows, model, way, None)
    seconds.append(time.process_time() - before)
print(json.dumps({"seconds": seconds, "logLikelihood": likelihood, "version": np.__version__}))
