import { formatInstant, formatInterval } from '#base';
import { PARITY_BARS, type S1Lengths } from '#signals';
import type { ChartParityStudy } from '../../validate/chart-parity-run.ts';
import { EXIT, paint, type Terminal, table } from '../terminal.ts';

/** What of `quorum parity` is for a chart's script. */
export interface ChartOptions {
  readonly pine: string;
  readonly feed?: string;
  readonly config?: string;
  readonly dataDir: string;
  readonly model?: string;
  readonly models?: string;
}

/** Up to here the desk trades on; a promotion needs less. */
const ALLOWED_BP = 1;

/** Measures and says the drift of a chart's script; exit code 1 where it is beyond 1 bp a bar, or not known. */
export async function compareChart(terminal: Terminal, options: ChartOptions): Promise<void> {
  const { webhookFeedNamed } = await import('../webhook-feed-named.ts');
  const { chartParityOfStore, measuredParity } = await import('../../validate/chart-parity-run.ts');
  const { name, feed } = await webhookFeedNamed(options);
  const lengths = await lengthsOf(options);
  const study = await chartParityOfStore({
    feed,
    feedName: name,
    dataDir: options.dataDir,
    config: options.pine,
    ...(lengths === null ? {} : { lengths }),
  });
  const promotion = measuredParity(study);
  terminal.result({ ...study, promotion });
  print(terminal, study);
  terminal.say();
  const { parityBp } = study;
  if (parityBp === null) {
    terminal.say(paint('33', `UNKNOWN: ${promotion.note}; a promotion to live is refused`));
  } else if (parityBp > ALLOWED_BP) {
    terminal.say(paint('31', `beyond: ${parityBp.toFixed(4)} bp a bar, allowed ${ALLOWED_BP}`));
  } else {
    const enough = promotion.value !== null && promotion.value < ALLOWED_BP;
    terminal.say(paint('32', `within ${ALLOWED_BP} bp a bar`));
    terminal.say(
      enough
        ? 'enough for a promotion to live'
        : `not enough for a promotion to live: ${promotion.value === null ? promotion.note : 'it needs less than 1'}`,
    );
  }
  if (parityBp === null || parityBp > ALLOWED_BP) process.exitCode = EXIT.failed;
}

/** Of the model that was named, else of the one that is on paper; null where there is none. */
async function lengthsOf({ model, models, pine }: ChartOptions): Promise<S1Lengths | null> {
  const { s1LengthsOf } = await import('#signals');
  const { modelsFolder } = await import('../../models/models-folder.ts');
  if (model !== undefined) {
    const { loadModel } = await import('../../models/loaded-model.ts');
    const { artefact } = loadModel(model, { models });
    return s1LengthsOf(artefact?.training.parameters ?? {});
  }
  const { modelResources } = await import('../../models/model-resources.ts');
  const found = modelResources(modelsFolder({ models })).model(`${pine}@paper`);
  return found === null ? null : s1LengthsOf(found.artefact.training.parameters);
}

function print(terminal: Terminal, study: ChartParityStudy): void {
  const { config, feed, intervalMs, bars, from, to, features, returns, unsent, lengths } = study;
  terminal.say(paint('1', `${config}: the chart's script against our features`));
  terminal.say(
    `  feed ${feed}, bars of ${formatInterval(intervalMs)}, RSI ${lengths.rsi}, ATR ${lengths.atr}, longest return ${lengths.momentum}`,
  );
  if (from === null || to === null) {
    terminal.say('  no bar has both');
    return;
  }
  terminal.say(`  ${bars} bars from ${formatInstant(from)} to ${formatInstant(to)}`);
  const bp = (value: number | null) => (value === null ? '-' : value.toFixed(4));
  const rows = [
    ['', 'bars', 'mean bp', 'most bp'],
    ...features.map((one) => [one.name, String(one.bars), bp(one.meanBp), bp(one.maxBp)]),
    ['all features', String(bars), bp(study.meanBp), bp(study.maxBp)],
    [
      'return of the regime',
      returns === null ? '0' : String(bars),
      bp(returns?.meanBp ?? null),
      bp(returns?.maxBp ?? null),
    ],
  ];
  for (const line of table(rows, [1, 2, 3])) terminal.say(`  ${line}`);
  for (const one of study.missing)
    terminal.warn(`the script left ${one.name} out of ${one.bars} of the newest ${bars} bars`);
  if (unsent > 0)
    terminal.warn(`the script said nothing of ${unsent} of the newest ${Math.max(PARITY_BARS, bars)} bars`);
}
