import { describe, expect, it } from 'vitest';
import { type Piece, Shipment, tapeEvents } from '#adapters';
import { sha256 } from '#base';
import { parseInstrumentId } from '#market';
import { mixedTape } from '../../../../test/support/mixed-tape.ts';
import { fetchTape, shipTape, tapeSchema } from './tape-pieces.ts';

const tape = mixedTape(parseInstrumentId('BTCUSDT.BINANCE-USDM').id, [3, 1, 4]);

/** Redis and the way there, as far as a test needs them: bytes by hash. */
function shipped() {
  const pieces: Record<string, Piece[]> = {};
  const held = new Map<string, Uint8Array>();
  const shipment = new Shipment();
  const add = shipment.add.bind(shipment);
  shipment.add = (bytes) => {
    held.set(sha256(bytes), bytes);
    return add(bytes);
  };
  const manifest = shipTape({ tape, faults: new Map([['late', 2]]) }, shipment, pieces);
  const fetch = async (wanted: readonly Piece[]) => {
    const parts = wanted.map(({ hash }) => held.get(hash));
    if (parts.some((part) => part === undefined)) return null;
    const bytes = Buffer.concat(parts as Uint8Array[]);
    const block = new SharedArrayBuffer(bytes.length);
    new Uint8Array(block).set(bytes);
    return block;
  };
  return { manifest: tapeSchema.parse(JSON.parse(JSON.stringify(manifest))), pieces, held, fetch };
}

describe('a tape in pieces', () => {
  it('is the same tape event for event, in memory that threads share', async () => {
    const { manifest, pieces, fetch } = shipped();
    const data = await fetchTape(manifest, tape.hash, pieces, fetch);
    expect(data!.tape.hash).toBe(tape.hash);
    expect([...tapeEvents(data!.tape)]).toEqual([...tapeEvents(tape)]);
    expect(data!.faults).toEqual(new Map([['late', 2]]));
    for (const series of data!.tape.series) {
      const column = series.kind === 'bars' ? series.columns.close : series.at;
      expect(column.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  });

  it('is waited for while a piece is missing', async () => {
    const names = Object.keys(shipped().pieces);
    expect(names.length).toBe(4);
    for (const name of names) {
      const { manifest, pieces, held, fetch } = shipped();
      held.delete(pieces[name]![0]!.hash);
      expect(await fetchTape(manifest, tape.hash, pieces, fetch)).toBeNull();
    }
  });

  it('is refused before anything is fetched when the pieces are more than it needs', async () => {
    const { manifest, pieces } = shipped();
    const much = { ...pieces, 'series-0': Array.from({ length: 1e6 }, () => pieces['series-0']![0]!) };
    const fetch = async () => expect.fail('nothing is to be fetched');
    await expect(fetchTape(manifest, tape.hash, much, fetch)).rejects.toThrow('not those of the work');
  });

  it('is refused when it is not the tape of the sweep', async () => {
    const { manifest, pieces, fetch } = shipped();
    const [first, ...others] = manifest.series;
    const longer = { ...manifest, series: [{ ...first!, length: 4 }, ...others] };
    const swapped = { ...pieces, 'series-1': pieces['series-2']!, 'series-2': pieces['series-1']! };
    for (const run of [
      () => fetchTape(manifest, sha256('another'), pieces, fetch),
      () => fetchTape(longer, tape.hash, pieces, fetch),
      () => fetchTape(manifest, tape.hash, swapped, fetch),
      () => fetchTape(manifest, tape.hash, {}, fetch),
    ]) {
      await expect(run()).rejects.toThrow('not those of the work');
    }
  });
});
