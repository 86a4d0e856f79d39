/** What all figures of runs on record are annualised by. */
export const CALENDAR_YEAR = 365;
const EXCHANGE_YEAR = 252;

/**
 * Days by which the daily figures of a run are annualised: 365 where its market was open on a Saturday (crypto), else 252
 * (stocks, FX). With 365 the Sharpe ratio of a desk on stocks would be a fifth too high. `days` are numbers since 1970-01-01.
 */
export const tradingYear = (days: Int32Array): number =>
  // the first of 1970 was a Thursday
  days.some((day) => day % 7 === 2) ? CALENDAR_YEAR : EXCHANGE_YEAR;
