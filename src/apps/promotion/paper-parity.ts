import { InputError } from '#base';
import type { Measured } from '#research';
import { runParity } from '../validate/parity-run.ts';

/** Bars that a drift is measured over. */
const BARS = 500;

/**
 * Drift of a desk on paper from a backtest of the same bars, basis points of return a bar over the newest 500. Not known, with
 * the reason, where they have fewer bars in common or cannot be compared.
 */
export async function paperParity(
  paper: string,
  backtest: string,
  keepsOn: () => boolean,
): Promise<Measured> {
  try {
    const study = await runParity({
      a: paper,
      b: backtest,
      bars: BARS,
      driftBpMax: 1,
      agreementMin: 0.98,
      fillBpMax: null,
      keepsOn,
    });
    if (study === null) return { value: null, note: 'stopped' };
    const { driftBp, bars } = study.parity;
    if (bars < BARS) return { value: null, note: `${bars} bars in common, ${BARS} needed` };
    return { value: driftBp, note: `over ${bars} bars` };
  } catch (error) {
    if (error instanceof InputError) return { value: null, note: error.message };
    throw error;
  }
}
