import { userInfo } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { OperatorAction } from '#engine';
import { numberArgument, type RunningOptions, withRunningOptions } from '../arguments.ts';
import { EXIT, ExitError, Terminal } from '../terminal.ts';

const ACTIONS = ['start', 'stop', 'flatten', 'recover', 'override', 'kill', 'resume-edge', 'review'] as const;
type ActionName = (typeof ACTIONS)[number];

interface Options extends RunningOptions {
  reason?: string;
  desk?: string;
  confirm?: string;
  lift: boolean;
  question?: string;
  allow: boolean;
  refuse: boolean;
  share: number;
}

export function operatorCommand(): Command {
  const command = new Command('operator')
    .description(
      'Say something to a running portfolio: start or stop entries, flatten, recover or override the breaker, kill, let a desk resume, or answer a review.',
    )
    .argument('<action>', ACTIONS.join(', '), (text) => {
      if (!(ACTIONS as readonly string[]).includes(text))
        throw new InvalidArgumentError(`Choose one of ${ACTIONS.join(', ')}.`);
      return text;
    })
    .option('--reason <text>', 'why; it is journaled (all but review and start need one)')
    .option('--desk <name>', 'flatten: one desk only; resume-edge: which desk')
    .option('--confirm <word>', 'recover: RESTART, to leave SHUTDOWN')
    .option('--lift', 'override: lift it again', false)
    .option('--question <id>', 'review: the question that waits')
    .option('--allow', 'review: allow the plan', false)
    .option('--refuse', 'review: refuse the plan', false)
    .option('--share <share>', 'review: share of the size allowed', numberArgument(1), 1);
  return withRunningOptions(command, 'which portfolio, when several run').action(run);
}

async function run(action: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const act = actOf(action as ActionName, options);
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
  terminal.say(
    `${portfolio}: ${action} done; entries ${answer.running === true ? 'allowed' : 'stopped'}${breaker}`,
  );
}

function actOf(action: ActionName, options: Options): OperatorAction {
  switch (action) {
    case 'start':
    case 'stop':
    case 'kill':
      return { action };
    case 'flatten':
      return { action, desk: options.desk ?? null };
    case 'recover':
      return { action, confirm: options.confirm ?? null };
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
