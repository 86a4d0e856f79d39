import { userInfo } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { LimitChanges, OperatorAction } from '#engine';
import type { BookId, ClientOrderId } from '#ledger';
import type { Status } from '../../runner/status.ts';
import { numberArgument, type RunningOptions, withRunningOptions } from '../arguments.ts';
import { EXIT, ExitError, Terminal } from '../terminal.ts';

const ACTIONS = [
  'start',
  'stop',
  'cancel',
  'close',
  'flatten',
  'limits',
  'recover',
  'override',
  'kill',
  'resume-edge',
  'review',
  'model',
  'record',
] as const;
const LIMITS = [
  'riskMax',
  'assetMax',
  'groupMax',
  'groupRho',
  'heatMax',
] as const satisfies readonly (keyof LimitChanges)[];
type ActionName = (typeof ACTIONS)[number];
type ActOf = Exclude<ActionName, 'model'>;

interface Options extends RunningOptions {
  reason?: string;
  desk?: string;
  order?: string;
  book?: string;
  riskMax?: number | null;
  assetMax?: number | null;
  groupMax?: number | null;
  groupRho?: number | null;
  heatMax?: number | null;
  subject?: string;
  detail?: string;
  confirm?: string;
  lift: boolean;
  model?: string;
  reference?: string;
  question?: string;
  allow: boolean;
  refuse: boolean;
  share: number;
}

export function operatorCommand(): Command {
  const command = new Command('operator')
    .description(
      'Say something to a running portfolio: start or stop entries, cancel an order, close a position, flatten, change limits, recover or override the breaker, kill, let a desk resume, give it another model, answer a review, or put something on record.',
    )
    .argument('<action>', ACTIONS.join(', '), (text) => {
      if (!(ACTIONS as readonly string[]).includes(text))
        throw new InvalidArgumentError(`Choose one of ${ACTIONS.join(', ')}.`);
      return text;
    })
    .option('--reason <text>', 'why; it is journaled (all but review and start need one)')
    .option(
      '--desk <name>',
      'start, stop, flatten: one desk only; kill, recover: the kill switch of a desk or a group (s1); resume-edge, model: which desk',
    )
    .option('--order <id>', 'cancel: the order, by our own id (quorum status --show exits)')
    .option('--book <book>', 'close: the position, as portfolio/desk/configuration/instrument')
    .option('--risk-max <share>', 'limits: risk to the stop of one plan, or "configured"', shareOrConfigured)
    .option('--asset-max <share>', 'limits: holding in one underlying', shareOrConfigured)
    .option('--group-max <share>', 'limits: holding in one correlated group', shareOrConfigured)
    .option('--group-rho <share>', 'limits: correlation that makes a group', shareOrConfigured)
    .option('--heat-max <share>', 'limits: correlation-adjusted risk of all positions', shareOrConfigured)
    .option('--model <id>', 'model: which, or "none"; what its reference means in the registry unless given')
    .option('--reference <text>', 'model: what the desk asks for, when it asks for several')
    .option('--subject <text>', 'record: what it is about')
    .option('--detail <text>', 'record: what happened')
    .option('--confirm <word>', 'recover: RESTART, to leave SHUTDOWN')
    .option('--lift', 'override: lift it again', false)
    .option('--question <id>', 'review: the question that waits')
    .option('--allow', 'review: allow the plan', false)
    .option('--refuse', 'review: refuse the plan', false)
    .option('--share <share>', 'review: share of the size allowed', numberArgument(1), 1);
  return withRunningOptions(command, 'which portfolio, when several run').action(run);
}

/** A share of equity, or null for what the configuration states. */
function shareOrConfigured(text: string): number | null {
  if (text === 'configured') return null;
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 1))
    throw new InvalidArgumentError('Give a share above 0 and at most 1, or "configured".');
  return value;
}

async function run(action: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const act = action === 'model' ? await modelAct(options) : actOf(action as ActOf, options);
  const reason = options.reason ?? (action === 'review' || action === 'start' ? action : undefined);
  if (reason === undefined || reason.trim() === '') {
    throw new ExitError(EXIT.usage, `${action} needs a reason`, 'say why: --reason "..."');
  }
  const { askRunning } = await import('../../runner/portfolios-in.ts');
  const by = userInfo().username;
  const question = { ask: 'operator', by, reason, act } as const;
  const asked = await askRunning(options.dataDir, options.portfolio ?? null, question);
  if (asked === null) throw new ExitError(EXIT.unreachable, 'nothing runs', 'start it first: quorum start');
  const { name: portfolio, answer } = asked;
  if (answer === null)
    throw new ExitError(
      EXIT.failed,
      `${portfolio} does not answer`,
      'look at quorum.log in the data directory',
    );
  terminal.result({ portfolio, action, ...answer });
  if (!answer.ok) {
    throw new ExitError(answer.refused === true ? EXIT.refused : EXIT.failed, String(answer.error));
  }
  const breaker = answer.breaker === null ? '' : `, breaker ${String(answer.breaker)}`;
  const stopped = answer.desksStopped as readonly string[];
  const but = stopped.length === 0 ? '' : ` but for ${stopped.join(', ')}`;
  terminal.say(
    `${portfolio}: ${action} done; entries ${answer.running === true ? `allowed${but}` : 'stopped'}${breaker}`,
  );
}

function changesIn(options: Options): LimitChanges {
  const changes: Record<string, number | null> = {};
  for (const name of LIMITS) {
    const value = options[name];
    if (value !== undefined) changes[name] = value;
  }
  if (Object.keys(changes).length > 0) return changes;
  throw new ExitError(EXIT.usage, 'limits names no limit', 'for example --asset-max 0.2');
}

/** What a desk that runs shall take: the model that is named, else what its reference means in the registry by now. */
async function modelAct({
  desk,
  model,
  reference,
  dataDir,
  portfolio,
}: Options): Promise<Extract<OperatorAction, { action: 'model' }>> {
  if (desk === undefined)
    throw new ExitError(EXIT.usage, 'model needs a desk', 'name it: --desk s1-rx68-btc-15m');
  const { askRunning } = await import('../../runner/portfolios-in.ts');
  const asked = await askRunning(dataDir, portfolio ?? null, { ask: 'status' });
  const status = asked?.answer?.status as Status | undefined;
  if (status === undefined)
    throw new ExitError(EXIT.unreachable, 'nothing runs', 'start it first: quorum start');
  const own = status.models.filter((one) => one.desk === desk).map((one) => one.reference);
  const named = reference ?? (own.length === 1 ? own[0]! : null);
  if (named === null)
    throw new ExitError(
      EXIT.usage,
      own.length === 0 ? `${desk} asks for no models` : `${desk} asks for ${own.join(', ')}`,
      own.length === 0 ? 'quorum status --json lists who asks for which' : 'choose one with --reference',
    );
  if (model === 'none') return { action: 'model', desk, reference: named, id: null };
  const { modelResources } = await import('../../models/model-resources.ts');
  const found = modelResources().model(model ?? named);
  if (found === null && model !== undefined)
    throw new ExitError(EXIT.usage, `there is no model ${model}`, 'quorum models list shows which there are');
  return { action: 'model', desk, reference: named, id: found?.id ?? null };
}

function actOf(action: ActOf, options: Options): OperatorAction {
  switch (action) {
    case 'start':
    case 'stop':
    case 'kill':
      return options.desk === undefined ? { action } : { action, desk: options.desk };
    case 'cancel':
      if (options.order === undefined)
        throw new ExitError(EXIT.usage, 'cancel needs an order', 'name it: --order ID');
      return { action, clientId: options.order as ClientOrderId };
    case 'close':
      if (options.book === undefined)
        throw new ExitError(
          EXIT.usage,
          'close needs a position',
          'name it: --book BOOK, as quorum status --show exits lists it',
        );
      return { action, book: options.book as BookId };
    case 'limits':
      return { action, changes: changesIn(options) };
    case 'record':
      if (options.subject === undefined)
        throw new ExitError(EXIT.usage, 'record needs a subject', 'name it: --subject "..."');
      return { action, subject: options.subject, detail: options.detail ?? '' };
    case 'flatten':
      return { action, desk: options.desk ?? null };
    case 'recover': {
      const confirm = options.confirm ?? null;
      return options.desk === undefined ? { action, confirm } : { action, confirm, desk: options.desk };
    }
    case 'override':
      return { action, enabled: !options.lift };
    case 'resume-edge':
      if (options.desk === undefined)
        throw new ExitError(EXIT.usage, 'resume-edge needs a desk', 'name it: --desk sigma');
      return { action, desk: options.desk };
    case 'review': {
      if (options.question === undefined || options.allow === options.refuse) {
        throw new ExitError(
          EXIT.usage,
          'review needs --question and one of --allow and --refuse',
          'quorum status lists what waits',
        );
      }
      const verdict = options.allow ? 'allow' : 'refuse';
      return { action, questionId: options.question, verdict, share: options.allow ? options.share : 0 };
    }
  }
}
