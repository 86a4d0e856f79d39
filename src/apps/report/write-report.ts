import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SortColumn } from '#research';
import { writeWholeFile } from '../whole-file.ts';
import { readWalkForward } from './optional-files.ts';
import { type Page, pageText } from './page.ts';
import { drawPicture, type Picture } from './picture.ts';
import { isSweep, readSweep } from './read-sweep.ts';
import { equityChart, fanChart } from './run-charts.ts';
import { runPage, titleOf, verdict } from './run-page.ts';
import { type RunView, viewRun } from './run-view.ts';
import { walkPage, walkPicture } from './study-sections.ts';
import { sweepPage, sweepPicture } from './sweep-page.ts';
import { returnsHistogram, scatterChart } from './trade-charts.ts';

export interface ReportRequest {
  readonly dir: string;
  readonly out: string;
  /** Where the picture goes; null makes none. */
  readonly png: string | null;
  /** Font files for the picture; empty takes those of the machine. */
  readonly fonts: readonly string[];
  /** Folder of Parquet tables; null writes none. Runs only. */
  readonly parquet: string | null;
  readonly wantsBenchmark: boolean;
  readonly walkForward: string | null;
  /** What variants of a sweep are compared by. */
  readonly column: SortColumn;
  readonly onProgress: (done: number, total: number) => void;
}

export interface ReportOutcome {
  readonly kind: 'run' | 'sweep' | 'walk-forward';
  readonly title: string;
  readonly htmlBytes: number;
  readonly sections: readonly string[];
  readonly pngBytes: number | null;
  readonly tables: readonly string[];
  readonly warnings: readonly string[];
}

/** Writes the page, and what else was asked for; each file appears whole or not at all. */
export async function writeReport(request: ReportRequest): Promise<ReportOutcome> {
  const { dir, out, parquet } = request;
  if (isSweep(dir) && !existsSync(join(dir, 'journal'))) {
    const sweep = readSweep(dir);
    const page = sweepPage(sweep, request.column);
    return {
      kind: 'sweep',
      ...write(request, out, page, () => sweepPicture(sweep, request.column)),
      tables: [],
    };
  }
  if (existsSync(join(dir, 'walk-forward.json')) && !existsSync(join(dir, 'summary.json'))) {
    const walk = readWalkForward(dir, true)!;
    return {
      kind: 'walk-forward',
      ...write(request, out, walkPage(walk), () => walkPicture(walk)),
      tables: [],
    };
  }
  const view = await viewRun(dir, request);
  const written = write(request, out, runPage(view), () => pictureOf(view));
  const tables =
    parquet === null ? [] : await (await import('./run-tables.ts')).writeRunTables(parquet, view);
  return { kind: 'run', ...written, tables };
}

function write({ png, fonts }: ReportRequest, out: string, page: Page, picture: () => Picture) {
  const text = pageText(page);
  writeWholeFile(out, [text]);
  const warnings: string[] = [];
  let pngBytes: number | null = null;
  if (png !== null) {
    const drawn = drawPicture(picture(), fonts);
    writeWholeFile(png, [drawn.png]);
    pngBytes = drawn.png.length;
    if (!drawn.hasLabels)
      warnings.push(
        `${png} has no labels: this machine has no font; install one (fonts-dejavu-core) or name one with --font`,
      );
  }
  return {
    title: page.title,
    htmlBytes: Buffer.byteLength(text),
    sections: page.sections.map(({ title }) => title),
    pngBytes,
    warnings,
  };
}

/** The main plots of a run. */
function pictureOf(view: RunView): Picture {
  const { run, market, monteCarlo, daily } = view;
  const { trades, summary } = run;
  const spread = returnsHistogram(trades, '');
  return {
    title: titleOf(summary),
    lines: [verdict(view)],
    charts: [
      equityChart(summary.desk, run.equity, market.benchmark, ''),
      ...(trades.length === 0 ? [] : [scatterChart(trades, '')]),
      ...(spread === null ? [] : [spread]),
      ...(monteCarlo === null
        ? []
        : [fanChart(monteCarlo.fan, [summary.cashStart, ...Array.from(daily.values)], '')]),
    ],
  };
}
