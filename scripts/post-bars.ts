// Posts recorded bars to the webhook of a running portfolio as a chart with docs/pine/s1-rx68.pine would: signed or with the token,
// Pine values and all, and moves the clock of the rehearsal from bar to bar. The feed must say "replayed": true.
//   npx node scripts/post-bars.ts --bars FILE.csv --series S1_RX68_BTC_15M --clock-file clock --portfolio s1
// --rsi, --atr and --momentum are the inputs of the script: the lengths of the model, as quorum models show lists them. --from
// and --to choose bars by the time they open; averages remember what lies before --from, as a chart's do.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ClockFile, readBarsFile, setClockFile, signatureHeader } from '#adapters';
import { formatInstant, InputError, parseInstant } from '#base';
import { type Bar, barAt } from '#market';
import { webhookFeedNamed } from '../src/apps/cli/webhook-feed-named.ts';
import { ingestFolder, ingestSettings, readAccess } from '../src/apps/ingest/ingest-settings.ts';
import { askControl } from '../src/apps/runner/control.ts';
import type { Status } from '../src/apps/runner/status.ts';
import { pineFigures, pinePayload } from './pine-twin.ts';

const { values } = parseArgs({
  options: {
    bars: { type: 'string' },
    series: { type: 'string', default: 'S1_RX68_BTC_15M' },
    'clock-file': { type: 'string' },
    portfolio: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    rsi: { type: 'string', default: '14' },
    atr: { type: 'string', default: '14' },
    momentum: { type: 'string', default: '20' },
    'data-dir': { type: 'string', default: '.quorum' },
    config: { type: 'string' },
    feed: { type: 'string' },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const end = (why: string): never => {
  process.stderr.write(`${why}\n`);
  process.exit(1);
};
process.on('uncaughtException', (error) =>
  end(error instanceof InputError ? `${error.message}: ${error.mend}` : String(error.stack)),
);
const needed = (name: 'bars' | 'clock-file' | 'portfolio'): string =>
  values[name] ?? end(`--${name} is missing; the first lines of this file say what it is`);
const time = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : (parseInstant(text) ?? end(`${text} is no time`));

const file = needed('bars');
const clock = needed('clock-file');
const folder = join(values['data-dir'], needed('portfolio'));
const { name, feed } = await webhookFeedNamed(values);
if (!feed.replayed) end(`feed ${name} is not "replayed": true: these bars are not of now`);
const settings = ingestSettings(feed, ingestFolder(values['data-dir'], name), process.env);
const series =
  settings.series.find(({ id }) => id === values.series) ?? end(`feed ${name} has no ${values.series}`);
const { secrets, signingKeys, bodyTokens } = readAccess(settings);
const address = `http://127.0.0.1:${feed.listen.port}/webhook/${secrets[0]}/${feed.desk}`;

const [recording] = await readBarsFile(file);
const bars: Bar[] = Array.from({ length: recording!.columns.length }, (_, i) => barAt(recording!.columns, i));
const figures = pineFigures(bars, {
  rsi: Number(values.rsi),
  atr: Number(values.atr),
  momentum: Number(values.momentum),
});
const [from, to] = [time(values.from, 0), time(values.to, Number.MAX_SAFE_INTEGER)];

/** Bars that the loop has seen; null while it does not answer. */
async function barsTaken(): Promise<number | null> {
  const answer = await askControl(folder, { ask: 'status' });
  return answer?.ok === true ? ((answer.status as Status).counts.bars as number) : null;
}

async function post(text: string, at: number): Promise<number> {
  const body = Buffer.from(text);
  const timestamp = String(Math.floor(at / 1_000));
  const key = signingKeys?.[0];
  const signed =
    key === undefined
      ? {}
      : { 'x-timestamp': timestamp, 'x-signature': signatureHeader(key, timestamp, body) };
  const headers = { 'content-type': 'application/json', ...signed };
  const response = await fetch(address, { method: 'POST', body, headers });
  if (response.status === 429) {
    await sleep(1_000 * Number(response.headers.get('retry-after') ?? 1));
    return post(text, at);
  }
  if (response.status >= 300) end(`the endpoint answered ${response.status}: ${await response.text()}`);
  return response.status;
}

const stands = new ClockFile(clock).now();
const first = bars.find((bar) => bar.time >= from)?.time ?? end('there is no such bar');
if (first + series.intervalMs < stands)
  end(
    `the clock stands at ${formatInstant(stands)} and does not go back: choose a later --from, or begin anew`,
  );

let taken = (await barsTaken()) ?? end(`nothing runs in ${folder}: quorum start --clock-file ${clock}`);
const answers = new Map<number, number>();
let posted = 0;
for (const [index, bar] of bars.entries()) {
  if (bar.time < from || bar.time >= to) continue;
  const at = bar.time + series.intervalMs + 300;
  setClockFile(clock, at);
  const token = bodyTokens?.[0];
  const said = { configId: series.id, bar, figures: figures[index]!, index, sentAt: at };
  const status = await post(pinePayload(token === undefined ? said : { ...said, token }), at);
  answers.set(status, (answers.get(status) ?? 0) + 1);
  posted += 1;
  // the clock stands until the loop has decided: a slow machine sees the market that a fast one sees
  if (status === 202) {
    taken += 1;
    for (let tries = 0; ((await barsTaken()) ?? taken) < taken; tries++) {
      if (tries > 5_000)
        end(
          `the loop did not take the bar of ${formatInstant(bar.time)}: the store may have it of an earlier rehearsal`,
        );
      await sleep(2);
    }
  }
  if (posted % 250 === 0) say(`${posted} bars, the last of ${formatInstant(bar.time)}`);
}
const counts = [...answers].map(([status, n]) => `${n} answered ${status}`).join(', ');
say(`${posted} bars posted: ${counts || 'none'}`);
