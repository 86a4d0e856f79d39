// A process that offers or reads until it is killed: node queue-child.ts write|read KIND WHERE
import { BTC, entryAt, openOf } from './streams-kit.ts';

const [task = '', kind = '', where = ''] = process.argv.slice(2);
const streams = await openOf(kind, where);
const tell = (line: string) => process.stdout.write(`${line}\n`);

if (task === 'write') {
  // Forty at a time, as an endpoint under load does; a line for each that was answered.
  for (let n = 0; ; n += 40) {
    const offers = Array.from({ length: 40 }, async (_, i) => {
      const offered = await streams.offer(BTC, entryAt(n + i));
      if (offered.kind === 'queued') tell(String(n + i));
    });
    await Promise.all(offers);
  }
} else {
  const reader = await streams.reader('workers', 'victim');
  const taken = await reader.read({ count: 3, waitMs: 5_000 });
  tell(JSON.stringify(taken.map(({ id }) => id)));
  setInterval(() => {}, 1_000);
}
