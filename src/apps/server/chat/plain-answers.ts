import { formatInstant } from '#base';
import type { LookUp } from './look-up.ts';

const percent = (share: number | null): string => (share === null ? '-' : `${(share * 100).toFixed(2)} %`);
const number = (value: number | null): string =>
  value === null ? '-' : String(Number(value.toPrecision(8)));

/** Answers in plain words to what is asked most, each from what was looked up just now. */
export const PLAIN_ANSWERS = {
  async positions(look: LookUp): Promise<string> {
    const positions = await look.positions();
    if (positions.length === 0) return 'No position is open.';
    const lines = positions.map((one) => {
      const [exit] = one.exits;
      const next = exit === undefined ? '' : ` Next exit: ${exit.text}.`;
      return `${one.side} ${one.quantity} ${one.instrument} (${one.desk}) from ${number(one.entryPrice)}, now ${number(one.price)}, unrealised ${one.unrealised}.${next}`;
    });
    return [`${positions.length} open:`, ...lines].join('\n');
  },

  async performance(look: LookUp): Promise<string> {
    const {
      currency,
      equity,
      today,
      dayChange,
      realised,
      unrealised,
      fees,
      maxDrawdown,
      statistics,
      portfolio,
    } = await look.overview();
    const { trades, winRate, payoff, expectancy, sharpe } = statistics;
    return [
      ...(portfolio.evidence ? [] : [`${portfolio.mode ?? 'This'}: no evidence of anything.`]),
      `Equity ${equity} ${currency}; today ${today ?? '-'} (${percent(dayChange)}).`,
      `Realised ${realised}, unrealised ${unrealised}, fees ${fees}. Largest drawdown ${percent(maxDrawdown)}.`,
      `${trades} closed trades: ${percent(winRate)} won, average win to loss ${number(payoff)}, expected ${expectancy ?? '-'} a trade, Sharpe ${number(sharpe)}.`,
    ].join('\n');
  },

  async equity(look: LookUp): Promise<string> {
    const { currency, equity, cash, unrealised, today, dayChange, drawdown } = await look.overview();
    return `Equity ${equity} ${currency}: cash ${cash}, unrealised ${unrealised}. Today ${today ?? '-'} (${percent(dayChange)}). ${percent(drawdown)} below its highest point.`;
  },

  async risk(look: LookUp): Promise<string> {
    const { currency, equity, limits, exposure, heat, valueAtRisk, drawdown, dailyLoss } = await look.risk();
    const tight = limits
      .filter(({ share }) => share !== null)
      .toSorted((a, b) => b.share! - a.share!)
      .slice(0, 5)
      .map(({ name, share, text }) => `  ${name}: ${percent(share)} used${text === '' ? '' : ` (${text})`}`);
    return [
      `Equity ${equity} ${currency}, ${exposure.length} exposures, heat ${percent(heat)}, drawdown ${percent(drawdown)}, lost today ${percent(dailyLoss)}.`,
      ...(valueAtRisk === null
        ? []
        : [`Value at risk ${valueAtRisk.value} (${percent(valueAtRisk.share)}): ${valueAtRisk.text}.`]),
      ...(tight.length === 0 ? ['No limit is in use.'] : ['Limits, the fullest first:', ...tight]),
    ].join('\n');
  },

  async breaker(look: LookUp): Promise<string> {
    const breaker = await look.breaker();
    if (breaker === null) return 'This portfolio has no circuit breaker.';
    const { state, since, causes, override, history } = breaker;
    const last = history.at(-1);
    return [
      `The circuit breaker is ${state} since ${formatInstant(since)}${causes.length === 0 ? '' : `, because of ${causes.join(', ')}`}.`,
      ...(override ? ['An override by hand holds it.'] : []),
      ...(last === undefined
        ? []
        : [`Last move: ${last.from} to ${last.to} at ${formatInstant(last.at)} (${last.cause}).`]),
    ].join('\n');
  },

  async orders(look: LookUp): Promise<string> {
    const orders = await look.orders(true);
    if (orders.length === 0) return 'No order is working.';
    const lines = orders.map(
      ({ side, quantity, instrument, type, price, stopPrice, state, filled }) =>
        `${side} ${quantity} ${instrument} ${type}${price === null ? '' : ` at ${price}`}${stopPrice === null ? '' : ` stop ${stopPrice}`}: ${state}, filled ${filled}`,
    );
    return [`${orders.length} working:`, ...lines].join('\n');
  },

  async trades(look: LookUp): Promise<string> {
    const trades = await look.trades();
    if (trades.length === 0) return 'No trade was closed yet.';
    const lines = trades.map(
      ({ at, side, quantity, instrument, entryPrice, exitPrice, realised, currency, reason }) =>
        `${formatInstant(at)} ${side} ${quantity} ${instrument} ${entryPrice} -> ${exitPrice}: ${realised} ${currency}${reason === null ? '' : ` (${reason})`}`,
    );
    return ['The newest closed trades:', ...lines].join('\n');
  },

  async worth(look: LookUp): Promise<string> {
    const [sources, gates] = [await look.sourceCards(), await look.gateCards()];
    const lines = [
      ...sources.map(
        ({ desk, source, n, hitRate, brier, weight }) =>
          `source ${desk}/${source}: right ${percent(hitRate)} of ${n}, Brier ${number(brier)}, weight ${number(weight)}`,
      ),
      ...gates.map(
        ({ desk, gate, considered, objected, worth }) =>
          `${gate} of ${desk}: objected to ${objected} of ${considered}${worth === null ? '' : `, worth ${number(worth.value)} ${worth.unit}`}`,
      ),
    ];
    return lines.length === 0 ? 'Nothing is known of sources and gates yet.' : lines.slice(0, 40).join('\n');
  },

  async why(look: LookUp, instrument: string | null, time: string | null): Promise<string> {
    const decision = await look.why(instrument, time);
    if (decision === null) return 'Nothing was decided there yet.';
    const {
      at,
      desk,
      instrument: id,
      action,
      outcome,
      confidence,
      rule,
      signals,
      objections,
      stages,
      nearest,
    } = decision;
    const cut = stages.find(({ passed }) => passed === false);
    return [
      `${formatInstant(at)} ${desk} on ${id}: ${action}, ${outcome}${confidence === null ? '' : `, confidence ${confidence.toFixed(2)}`} (${rule}).`,
      ...signals.slice(0, 8).map(({ source, text }) => `  ${source}: ${text}`),
      ...objections.map(({ by, reason }) => `  objection of ${by}: ${reason}`),
      ...(cut === undefined ? [] : [`It ended at ${cut.stage}: ${cut.text}.`]),
      ...(nearest === null ? [] : [`Smallest change that would have let it pass: ${nearest}.`]),
    ].join('\n');
  },
} as const;
