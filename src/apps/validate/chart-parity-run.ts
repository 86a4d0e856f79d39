import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BarStore, StoredBar } from '#adapters';
import { InputError, type Instant } from '#base';
import { requestOf, volumeReach } from '#features';
import { columnsOfBars } from '#market';
import type { Measured } from '#research';
import {
  type ChartParity,
  type ChartValues,
  chartParity,
  PARITY_BARS,
  readPine,
  S1_LENGTHS,
  S1_WARM_UP_BARS,
  type S1Lengths,
  s1Indicators,
} from '#signals';
import { ingestFolder, ingestSettings, openFeedStore } from '../ingest/ingest-settings.ts';
import type { WebhookFeed } from '../ingest/webhook-feed.ts';

export interface ChartParityRequest {
  readonly feed: WebhookFeed;
  readonly feedName: string;
  readonly dataDir: string;
  /** `S1_RX68_BTC_15M`. */
  readonly config: string;
  /** Those of the model that trades the config; the sheet's unless given. */
  readonly lengths?: S1Lengths;
}

export interface ChartParityStudy extends ChartParity {
  readonly config: string;
  readonly feed: string;
  readonly intervalMs: number;
  readonly lengths: S1Lengths;
}

/** Bars that are read: enough for the newest {@link PARITY_BARS} where some came without a word of the script. */
const READ_BARS = 4 * PARITY_BARS + S1_WARM_UP_BARS;

/**
 * Drift between a chart's script and us over the newest stored bars of a config. Throws {@link InputError} for a config that
 * the feed does not have, and for a store that does not exist yet.
 */
export async function chartParityOfStore(request: ChartParityRequest): Promise<ChartParityStudy> {
  const { feed, feedName, dataDir, config, lengths = S1_LENGTHS } = request;
  const folder = ingestFolder(dataDir, feedName);
  const settings = ingestSettings(feed, folder, process.env);
  const series = settings.series.find(({ id }) => id === config);
  if (series === undefined)
    throw new InputError(
      `feed "${feedName}" has no config ${config}`,
      `it has ${settings.series.map(({ id }) => id).join(', ')}`,
    );
  if (feed.store.kind === 'embedded' && !existsSync(join(folder, 'bars.sqlite')))
    throw new InputError(`feed "${feedName}" has no bars in ${folder} yet`, 'run quorum start first');
  const store = await openFeedStore(settings);
  try {
    const bars = await newestBars(store, config);
    const { intervalMs } = series;
    return {
      config,
      feed: feedName,
      intervalMs,
      lengths,
      ...chartParity(columnsOfBars(bars), valuesOf(bars, lengths), intervalMs, lengths),
    };
  } finally {
    await store.close();
  }
}

async function newestBars(store: BarStore, config: string): Promise<readonly StoredBar[]> {
  const last = await store.lastBar(config);
  return last === null ? [] : store.newest(config, READ_BARS, last.time + 1);
}

/** None where our own features rest on a volume that nobody knows: the desk holds there. */
function valuesOf(bars: readonly StoredBar[], lengths: S1Lengths): ChartValues[] {
  const reach = volumeReach(Object.values(s1Indicators(lengths)).map(requestOf), S1_WARM_UP_BARS);
  let known = reach;
  return bars.map((bar) => {
    known = bar.volumeUnknown === true ? 0 : known + 1;
    return known < reach ? null : chartValues(bar);
  });
}

/** As the desk gets them: through the text of an observation. */
function chartValues({ time, pine }: StoredBar): ChartValues {
  if (pine === null) return null;
  return readPine(JSON.stringify({ time: time as Instant, values: JSON.parse(pine) }))?.values ?? null;
}

/** Names that a note tells. */
const NAMES_MOST = 3;

/**
 * The figure that a promotion asks for; not known, with the reason, where fewer than {@link PARITY_BARS} bars were compared, or where
 * the script left a feature or the return out of one of them: what it does not say cannot differ.
 */
export function measuredParity({ bars, parityBp, missing }: ChartParity): Measured {
  if (parityBp === null) return { value: null, note: 'the webhook brought no values of a script' };
  if (bars < PARITY_BARS) return { value: null, note: `${bars} bars compared, ${PARITY_BARS} needed` };
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name);
    const more = names.length > NAMES_MOST ? ` and ${names.length - NAMES_MOST} more` : '';
    const most = Math.max(...missing.map((one) => one.bars));
    return {
      value: null,
      note: `the script leaves out ${names.slice(0, NAMES_MOST).join(', ')}${more}, in up to ${most} of ${bars} bars`,
    };
  }
  return { value: parityBp, note: `script against features over ${bars} bars` };
}
