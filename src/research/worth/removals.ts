import type { Gate } from '#ensemble';
import type { Exit, Limit, LimitVerdict, Sized, Sizer, SizingContext } from '#risk';
import type { Source } from '#signals';

/**
 * Parts that are gone without anything else having moved: each keeps its name, its place in the desk and the features
 * it asked for, so that frames, warm-up and what others remember stay as they were.
 */

const PASS: LimitVerdict = { kind: 'pass' };

/** A source that never speaks and, when remote, never asks. */
export function silent(source: Source): Source {
  return source.kind === 'local' ? { ...source, signal: () => null } : { ...source, ask: () => null };
}

/** A gate or veto that never objects. */
export const agreeing = (gate: Gate<never>): Gate<never> => ({ ...gate, check: () => null });

/** A limit or safety layer that lets every plan pass whole. */
export const passing = (limit: Limit): Limit => ({ ...limit, check: () => PASS });

/** An exit that never fires. What rests at the venue for it is the venue's business: see `deafTo`. */
export const resting = (exit: Exit): Exit => ({ ...exit, check: () => null });

/** A plain copy: the engine's own context reads its figures through getters. */
function copied(context: SizingContext): SizingContext {
  const { at, instrument, decision, direction, price, account, record, regime } = context;
  const { breakerMultiplier, costRate, quotePerMinor } = context;
  return {
    at,
    instrument,
    decision,
    direction,
    price,
    account,
    record,
    regime,
    breakerMultiplier,
    costRate,
    quotePerMinor,
  };
}

/** The sizer as if the breaker always asked for whole size. Where the breaker lets nothing enter, nothing enters. */
export function deafToBreaker(sizer: Sizer): Sizer {
  return {
    ...sizer,
    size: (context, values) => sizer.size({ ...copied(context), breakerMultiplier: 1 }, values),
  };
}

/** The sizer as if the strategy monitor always asked for whole size. */
export function deafToMonitor(sizer: Sizer): Sizer {
  return {
    ...sizer,
    size: (context, values) =>
      sizer.size({ ...copied(context), record: { ...context.record, monitorMultiplier: 1 } }, values),
  };
}

/** What a cut is called without what it says of the moment: `regime:CHOP` is `regime`. */
export const cutName = (by: string): string => by.split(':')[0]!;

/** For a sizer that does not offer to leave a factor out: its size divided by the factor it reports. */
export function undoing(sizer: Sizer, name: string): Sizer {
  return {
    ...sizer,
    size: (context, values) => {
      const sized = sizer.size(context, values);
      if (sized.kind === 'sized') return grown(sized, name);
      return sized.shadow === null ? sized : { ...sized, shadow: grown(sized.shadow, name) };
    },
  };
}

function grown(sized: Sized, name: string): Sized {
  let factor = 1;
  for (const cut of sized.cuts) if (cutName(cut.by) === name && cut.factor > 0) factor *= cut.factor;
  if (factor === 1) return sized;
  return {
    ...sized,
    quantity: sized.quantity / factor,
    riskFraction: sized.riskFraction === null ? null : sized.riskFraction / factor,
    cuts: sized.cuts.filter((cut) => cutName(cut.by) !== name),
  };
}
