"""The sweep of bench/sweep.ts as one hand-fused numba kernel: every (fast, slow) pair walks all bars once.

The semantics are those of the SMA desk in the loop. A cross is a change of sign against the last difference that was not
zero (to 1e-12 of the lines); what is decided on a close fills whole at the next opening; fixed units, long or flat; money in
whole minor units, the fee of each fill rounded up. Averages are running sums, rebuilt every 256 bars as ours are, computed
once for each window and kept. One thread, fastmath off, compiled before the clock starts. There are two forms of it: `sweep`
tells the return alone, `sweep_figures` also the largest drawdown over all closes, as a row of our table has it.

Reads from stdin a line of JSON and then closes, and ticks of openings and closes, as doubles; then plays once for each line,
`return` or `figures`, and writes lines of JSON.
"""

import json
import resource
import sys
import time

import numpy as np
import numba
from numba import njit


@njit(cache=False, fastmath=False, parallel=False)
def average(close, n, out):
    total = 0.0
    left = 256
    for i in range(len(close)):
        if i < n:
            total += close[i]
            out[i] = total / n if i == n - 1 else np.nan
            continue
        left -= 1
        if left > 0:
            total += close[i] - close[i - n]
        else:
            total = 0.0
            for j in range(i - n + 1, i + 1):
                total += close[j]
            left = 256
        out[i] = total / n


@njit(cache=False, fastmath=False, parallel=False)
def sweep(fast, slow, warm_up, open_ticks, last_ticks, lots, value, fee_rate, cash, equity, fills):
    bars = len(open_ticks)
    one = 100_000_000
    for f in range(fast.shape[0]):
        a = fast[f]
        for s in range(slow.shape[0]):
            b = slow[s]
            side = 0
            money = cash
            held = False
            trades = 0
            for i in range(warm_up[s] - 1, bars):
                x = a[i]
                y = b[i]
                d = x - y
                if abs(d) > 1e-12 * max(abs(x), abs(y)):
                    now = 1 if d > 0 else -1
                    if now != side:
                        before = side
                        side = now
                        if before != 0 and i + 1 < bars and (now == 1) != held:
                            worth = open_ticks[i + 1] * lots * value
                            fee = (worth * fee_rate + one - 1) // one
                            money += (-worth if now == 1 else worth) - fee
                            held = now == 1
                            trades += 1
            k = f * slow.shape[0] + s
            equity[k] = money + (last_ticks * lots * value if held else 0)
            fills[k] = trades


@njit(cache=False, fastmath=False, parallel=False)
def sweep_figures(
    fast, slow, warm_up, open_ticks, mark_ticks, lots, value, fee_rate, cash, equity, fills, falls
):
    bars = len(open_ticks)
    one = 100_000_000
    for f in range(fast.shape[0]):
        a = fast[f]
        for s in range(slow.shape[0]):
            b = slow[s]
            side = 0
            money = cash
            held = False
            wanted = False
            trades = 0
            peak = cash
            deepest = 0.0
            now_worth = cash
            for i in range(warm_up[s] - 1, bars):
                if wanted != held:
                    worth = open_ticks[i] * lots * value
                    fee = (worth * fee_rate + one - 1) // one
                    money += (-worth if wanted else worth) - fee
                    held = wanted
                    trades += 1
                    now_worth = money
                if held:
                    now_worth = money + mark_ticks[i] * lots * value
                if now_worth > peak:
                    peak = now_worth
                else:
                    fall = (peak - now_worth) / peak
                    if fall > deepest:
                        deepest = fall
                x = a[i]
                y = b[i]
                d = x - y
                if abs(d) > 1e-12 * max(abs(x), abs(y)):
                    now = 1 if d > 0 else -1
                    if now != side:
                        if side != 0:
                            wanted = now == 1
                        side = now
            k = f * slow.shape[0] + s
            equity[k] = now_worth
            fills[k] = trades
            falls[k] = deepest


def main():
    task = json.loads(sys.stdin.buffer.readline())
    bars = task["bars"]
    close = np.frombuffer(sys.stdin.buffer.read(8 * bars), dtype=np.float64)
    open_ticks = np.frombuffer(sys.stdin.buffer.read(8 * bars), dtype=np.float64).astype(np.int64)
    mark_ticks = np.frombuffer(sys.stdin.buffer.read(8 * bars), dtype=np.float64).astype(np.int64)
    fasts, slows = task["fast"], task["slow"]
    fast = np.empty((len(fasts), bars))
    slow = np.empty((len(slows), bars))
    warm_up = np.array(slows, dtype=np.int64)
    equity = np.zeros(len(fasts) * len(slows), dtype=np.int64)
    fills = np.zeros(len(fasts) * len(slows), dtype=np.int64)
    falls = np.zeros(len(fasts) * len(slows))
    money = (task["lots"], task["value"], task["feeRate"], task["cash"])

    def averages():
        for i, n in enumerate(fasts):
            average(close, n, fast[i])
        for i, n in enumerate(slows):
            average(close, n, slow[i])

    def play(form, most):
        pairs = (fast[:most], slow[:most], warm_up[:most], open_ticks)
        if form == "return":
            sweep(*pairs, mark_ticks[-1], *money, equity, fills)
        else:
            sweep_figures(*pairs, mark_ticks, *money, equity, fills, falls)

    averages()
    play("return", 1)
    play("figures", 1)
    print(json.dumps({"ready": numba.__version__}), flush=True)
    for line in sys.stdin.buffer:
        before = time.process_time()
        averages()
        middle = time.process_time()
        play(line.decode().strip(), None)
        after = time.process_time()
        returns = equity / task["cash"] - 1
        print(
            json.dumps(
                {
                    "features": middle - before,
                    "seconds": after - before,
                    "fills": int(fills.sum()),
                    "meanFall": float(np.sum(falls) / len(falls)),
                    "meanReturn": float(np.sum(returns) / len(returns)),
                    "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                }
            ),
            flush=True,
        )


main()
