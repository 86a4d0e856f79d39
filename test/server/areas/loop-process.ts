import { demoPortfolio } from '../../../src/apps/runner/choose.ts';
import type { MarketTape } from '../../../src/apps/runner/market-tape.ts';
import { setUpPortfolio } from '../../../src/apps/runner/portfolio-setup.ts';
import { runPaper } from '../../../src/apps/runner/run-paper.ts';

/** A tape that ends early. */
class Short implements MarketTape {
  private readonly tape: MarketTape;
  readonly length: number;

  constructor(tape: MarketTape, length: number) {
    this.tape = tape;
    this.length = length;
  }

  get position(): number {
    return this.tape.position;
  }

  peek(): number | null {
    return this.tape.position >= this.length ? null : this.tape.peek();
  }

  next() {
    return this.tape.next();
  }

  seek(position: number): void {
    this.tape.seek(position);
  }
}

// node loop-process.ts DIR STEPS: Sigma on made-up prices as fast as it goes, with entries made easy so that much happens
const [dataDir, steps] = process.argv.slice(2) as [string, string];
const request = demoPortfolio('7');
const [desk] = request.portfolio.desks;
const parameters = {
  entryConfidence: 0.3,
  v1Entry: 0.05,
  volatilityMax: 5,
  adxMin: 1,
  ignoreExpectancy: true,
};
const setup = await setUpPortfolio({
  ...request,
  portfolio: { ...request.portfolio, desks: [{ ...desk!, parameters }] },
});
await runPaper({
  setup: { ...setup, tape: new Short(setup.tape!, Number(steps)) },
  dataDir,
  fresh: false,
  speed: 0,
  databaseUrl: null,
  once: false,
  slicesMax: null,
  forMs: null,
  snapshotEvery: 1_000_000,
  say: () => undefined,
  screen: null,
});
