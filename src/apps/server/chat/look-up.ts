import { InputError, parseInstant } from '#base';
import type { Call } from '../context.ts';
import type { Readers } from './readers.ts';

/** One conversation's view of the running system: read only, in the name of who asks. */
export class LookUp {
  /** What was looked up, in order, each once. */
  readonly sources: string[] = [];
  private readonly readers: Readers;
  private readonly portfolio: string | undefined;
  private readonly call: Call;

  constructor(readers: Readers, portfolio: string | undefined, call: Call) {
    this.readers = readers;
    this.portfolio = portfolio;
    this.call = call;
  }

  overview() {
    return this.read('overview', () =>
      this.readers.overview({ ...this.asked(), query: this.of() }, this.call),
    );
  }

  async positions() {
    const asked = { ...this.asked(), query: this.of() };
    return (await this.read('positions', () => this.readers.positions(asked, this.call))).items;
  }

  async orders(working: boolean) {
    const query = { ...this.of(), limit: 20, ...(working ? { working } : {}) };
    return (await this.read('orders', () => this.readers.orders({ ...this.asked(), query }, this.call)))
      .items;
  }

  async trades(limit = 10) {
    const query = { ...this.of(), limit };
    return (await this.read('trades', () => this.readers.trades({ ...this.asked(), query }, this.call)))
      .items;
  }

  equity() {
    const query = { ...this.of(), points: 100 };
    return this.read('equity', () => this.readers.equity({ ...this.asked(), query }, this.call));
  }

  risk() {
    return this.read('risk', () => this.readers.risk({ ...this.asked(), query: this.of() }, this.call));
  }

  breaker() {
    return this.read('breaker', () => this.readers.breaker({ ...this.asked(), query: this.of() }, this.call));
  }

  async sourceCards() {
    const asked = { ...this.asked(), query: this.of() };
    return (await this.read('sources', () => this.readers.sources(asked, this.call))).items;
  }

  async gateCards() {
    const asked = { ...this.asked(), query: this.of() };
    return (await this.read('gates', () => this.readers.gates(asked, this.call))).items;
  }

  /**
   * The newest decision at or before a time, of an instrument or of all; null for none. Throws {@link InputError} for an
   * instrument that is not traded and for a time that is none.
   */
  async why(instrument: string | null, time: string | null) {
    const id = instrument === null ? null : await this.instrument(instrument);
    const at = time === null ? null : parseInstant(time);
    if (time !== null && at === null)
      throw new InputError(`"${time.slice(0, 40)}" is no time`, 'write 2023-07-04 or 2023-07-04T12:00Z');
    const query = {
      limit: 20,
      ...(id === null ? {} : { instrument: id }),
      // a whole minute: people do not say seconds
      ...(at === null ? {} : { to: at + 60_000 }),
    };
    const items = await this.newest(query);
    const line = items.find(({ action }) => action !== 'wait') ?? items[0];
    if (line === undefined) return null;
    const asked = { params: { id: line.id }, query: this.of(), body: undefined };
    return this.read(`decision ${line.id}`, () => this.readers.decision(asked, this.call));
  }

  private async newest(query: { limit: number; instrument?: string; to?: number }) {
    const asked = { ...this.asked(), query: { ...this.of(), ...query } };
    return (await this.read('decisions', () => this.readers.decisions(asked, this.call))).items;
  }

  /** What a person calls an instrument, such as `btc`, as its full name. */
  private async instrument(named: string): Promise<string> {
    const { desks } = await this.overview();
    let ids = [...new Set(desks.flatMap(({ instruments }) => instruments.map(({ id }) => id)))];
    // of a portfolio that does not run only the decisions tell
    if (ids.length === 0)
      ids = [...new Set((await this.newest({ limit: 500 })).map((line) => line.instrument))];
    const wanted = named.toUpperCase();
    const found =
      ids.find((id) => id.toUpperCase() === wanted) ??
      ids.find((id) => id.toUpperCase().split('.')[0] === wanted) ??
      ids.find((id) => id.toUpperCase().startsWith(wanted));
    if (found !== undefined) return found;
    throw new InputError(
      `"${named.slice(0, 40)}" is not traded here`,
      `there are ${ids.slice(0, 20).join(', ') || 'none'}`,
    );
  }

  private of() {
    return this.portfolio === undefined ? {} : { portfolio: this.portfolio };
  }

  private asked() {
    return { params: undefined, body: undefined } as const;
  }

  private async read<T>(source: string, action: () => T | Promise<T>): Promise<T> {
    if (!this.sources.includes(source)) this.sources.push(source);
    return action();
  }
}
