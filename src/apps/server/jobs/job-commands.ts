import { join } from 'node:path';
import { InputError } from '#base';
import type { AllowedFiles } from './allowed-files.ts';
import type { JobRequest } from './job-store.ts';

/** One command line of `quorum`, run as a process of its own. */
export interface JobStep {
  readonly args: readonly string[];
  /** What a person reads while it runs. */
  readonly says: string;
  /** Share of the whole in the progress; those of a job sum to 1. */
  readonly share: number;
  /** Its one JSON object is the job's result; else it is left out. */
  readonly isResult: boolean;
  /** A command that found what it looked for ends with code 1 and still says it: a replay that differs, a broken chain. */
  readonly answersWithOne: boolean;
}

export interface JobPlan {
  readonly steps: readonly JobStep[];
  /** Threads it computes with. */
  readonly threads: number;
  /** Where its report lies when it is done; null: it writes none. */
  readonly report: string | null;
}

export interface JobPlace {
  /** The job's own folder. */
  readonly folder: string;
  readonly files: AllowedFiles;
  /** The prices that come with the program, as a file of bars. */
  readonly sample: string;
  /** Threads that all jobs together may use. */
  readonly threads: number;
  /** Folder of an earlier job's run. Throws where there is none. */
  readonly runOf: (job: string, kinds: readonly JobRequest['kind'][]) => string;
  /** Folder of a portfolio with a journal. Throws where there is none. */
  readonly portfolio: (name: string) => string;
}

/** Below a job's folder: what `--out` of its command wrote, and its report. */
export const RUN_FOLDER = 'run';
export const REPORT_FILE = 'report.html';
/** Threads of one job at most, so that several may run. */
const THREADS_MOST = 4;

const PARAMETER = /^[A-Za-z_$][\w$.]{0,59}$/;

type Study = Extract<JobRequest, { kind: 'backtest' | 'sweep' | 'walk-forward' }>;

/**
 * The command lines of a job. Options are written `--name=value` and what stands alone comes behind `--`, so that no text of a
 * request is ever taken for an option. Throws {@link InputError} for a request that can come to nothing.
 */
export function planJob(request: JobRequest, place: JobPlace): JobPlan {
  const { folder, files } = place;
  const run = join(folder, RUN_FOLDER);
  const report = join(folder, REPORT_FILE);
  switch (request.kind) {
    case 'backtest': {
      const first = step(
        'backtest',
        'backtest',
        request.report ? 0.9 : 1,
        [...studied(request, place), `--out=${run}`],
        [files.desk(request.desk)],
      );
      if (!request.report) return { steps: [first], threads: 1, report: null };
      return { steps: [first, reporting(run, report, 0.1)], threads: 1, report };
    }
    case 'sweep': {
      const threads = Math.min(place.threads, THREADS_MOST);
      const options = [
        ...studied(request, place),
        ...varied(request),
        `--workers=${threads}`,
        '--no-rows',
        `--out=${run}`,
      ];
      const first = step('sweep', 'sweep', 0.95, options, [files.desk(request.desk)]);
      return { steps: [first, reporting(run, report, 0.05)], threads, report };
    }
    case 'walk-forward': {
      const threads = Math.min(place.threads, THREADS_MOST);
      const options = [
        ...studied(request, place),
        ...varied(request),
        `--folds=${request.folds}`,
        `--workers=${threads}`,
      ];
      const desk = files.desk(request.desk);
      return {
        steps: [step('walk-forward', 'walk-forward', 1, [...options, `--out=${run}`], [desk])],
        threads,
        report: null,
      };
    }
    case 'report':
      return {
        steps: [{ ...reporting(place.runOf(request.job, ['backtest', 'sweep']), report, 1), isResult: true }],
        threads: 1,
        report,
      };
    case 'worth': {
      const threads = Math.min(place.threads, THREADS_MOST);
      const of = place.runOf(request.job, ['backtest']);
      // the study lies in the folder of its run, where the report looks for it
      const first = step('worth', 'what each part is worth', 0.95, [`--workers=${threads}`], [of]);
      return { steps: [first, reporting(of, report, 0.05)], threads, report };
    }
    case 'replay': {
      const first = step('replay', 'deciding again', 1, [], [place.portfolio(request.portfolio)]);
      return { steps: [{ ...first, answersWithOne: true }], threads: 1, report: null };
    }
    case 'verify': {
      const first = step(
        'journal',
        'reading the journal',
        1,
        ['--verify'],
        [place.portfolio(request.portfolio)],
      );
      return { steps: [{ ...first, answersWithOne: true }], threads: 1, report: null };
    }
  }
}

function step(
  command: string,
  says: string,
  share: number,
  options: readonly string[],
  named: readonly string[],
): JobStep {
  return {
    args: [command, ...options, '--json', '--', ...named],
    says,
    share,
    isResult: true,
    answersWithOne: false,
  };
}

const reporting = (run: string, report: string, share: number): JobStep => ({
  ...step('report', 'report', share, [`--out=${report}`], [run]),
  isResult: false,
});

/** Options that every study has. */
function studied(request: Study, { files, sample }: JobPlace): string[] {
  const { bars, funding, set, feeBps, slippageBps, cash, from, to, seed } = request;
  if (from !== undefined && to !== undefined && to <= from)
    throw new InputError('`to` is not after `from`', 'bars from `from` on and before `to` are taken');
  const options: string[] =
    bars.length === 0 ? [`--bars=SPX.SAMPLE=${sample}`] : bars.map((one) => `--bars=${files.bars(one)}`);
  for (const one of funding) options.push(`--funding=${files.bars(one)}`);
  for (const [name, value] of Object.entries(set)) options.push(`--set=${parameter(name)}=${value}`);
  const given = { 'fee-bps': feeBps, 'slippage-bps': slippageBps, cash, from, to, seed };
  for (const [name, value] of Object.entries(given))
    if (value !== undefined) options.push(`--${name}=${value}`);
  return options;
}

function varied({ grid, where }: Extract<Study, { kind: 'sweep' | 'walk-forward' }>): string[] {
  const params = Object.entries(grid).map(([name, values]) => `--param=${parameter(name)}=${values}`);
  if (params.length === 0)
    throw new InputError('grid: nothing varies', 'name at least one parameter, such as {"fast": "5:25:5"}');
  return where === undefined ? params : [...params, `--where=${where}`];
}

function parameter(name: string): string {
  if (PARAMETER.test(name)) return name;
  throw new InputError(
    `"${name.slice(0, 60)}" is no name of a parameter`,
    'write it as the desk does, such as fast',
  );
}
