import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { formatInstant } from '#base';
import { ROLES, type Role } from '../../contract/route.ts';
import type { Identity, User } from '../../server/identity/index.ts';
import { wholeArgument } from '../arguments.ts';
import { askSecret } from '../ask-secret.ts';
import { EXIT, ExitError, Terminal, table } from '../terminal.ts';

interface Options {
  readonly dataDir: string;
  readonly json: boolean;
  readonly reason: string;
  readonly role: Role;
  readonly ask: boolean;
  readonly withoutSecondFactor: boolean;
  readonly limit: number;
}

/** What a command has at hand: the open identity and where to write. */
interface Work {
  readonly identity: Identity;
  readonly terminal: Terminal;
  readonly options: Options;
}

export function usersCommand(): Command {
  return new Command('users')
    .description('Who may use the console: list, add, change and remove users, and see what they did.')
    .addHelpText(
      'after',
      `
Works on the console's file itself, whether the server runs or not: whoever has a shell here gets back in with
"quorum users reset-password admin". Passwords are never taken from the command line.`,
    )
    .addCommand(plain('list', 'Show all users.', list))
    .addCommand(
      named('add', 'Add a user and show a one-time password.', add).addOption(
        new Option('--role <role>', 'what the user may do').choices(ROLES).default('viewer'),
      ),
    )
    .addCommand(
      named('role', 'Change what a user may do; the user is logged out.', changeRole).addArgument(
        new Argument('<role>', 'what the user may do from now on').choices(ROLES),
      ),
    )
    .addCommand(
      named('disable', 'Log a user out and let them in no more.', (work, user) => able(work, user, true)),
    )
    .addCommand(named('enable', 'Let a disabled user in again.', (work, user) => able(work, user, false)))
    .addCommand(
      named(
        'reset-password',
        'Show a new one-time password; sessions and tokens of the user end, and so does a lock-out.',
        resetPassword,
      )
        .option('--ask', 'ask for the new password instead of making one up', false)
        .option('--without-second-factor', 'take the second factor away too', false),
    )
    .addCommand(named('unlock', 'End the wait after wrong passwords.', unlock))
    .addCommand(named('remove', 'Remove a user for good.', remove))
    .addCommand(
      plain('log', 'Show who did what and why, newest first, and whether the record is whole.', log).option(
        '--limit <n>',
        'entries to show',
        wholeArgument(1, 10_000),
        30,
      ),
    );
}

const common = (command: Command): Command =>
  command
    .option('--data-dir <dir>', 'where the console keeps its file', '.quorum')
    .option('--json', 'one JSON object on stdout', false);

function plain(name: string, description: string, act: (work: Work) => void): Command {
  return common(new Command(name).description(description)).action((options: Options) =>
    within(options, act),
  );
}

/** A command about one user. `add` alone is given a name that nobody has. */
function named(
  name: string,
  description: string,
  act: (work: Work, user: string, more: string) => void | Promise<void>,
): Command {
  return common(
    new Command(name)
      .description(description)
      .argument('<name>', 'name of the user')
      .option('--reason <text>', 'why; it is kept in the record', 'from the shell'),
  ).action((...given: unknown[]) => {
    // commander gives the arguments, then the options, then the command
    const options = given.at(-2) as Options;
    const [user, more] = given.slice(0, -2) as string[];
    return within(options, (work) => act(work, user!, more ?? ''));
  });
}

async function within(options: Options, act: (work: Work) => void | Promise<void>): Promise<void> {
  const { CONSOLE_FILE, openConsoleStore, openIdentity, Refusal } = await import(
    '../../server/identity/index.ts'
  );
  const file = join(options.dataDir, CONSOLE_FILE);
  if (!existsSync(file))
    throw new ExitError(
      EXIT.badInput,
      `there is no console in ${options.dataDir} yet`,
      'start it first (quorum start), or name another with --data-dir',
    );
  const store = openConsoleStore(file);
  try {
    await act({ identity: openIdentity(store), terminal: new Terminal(options.json), options });
  } catch (error) {
    if (error instanceof Refusal) throw new ExitError(EXIT.refused, error.message, error.mend);
    throw error;
  } finally {
    store.close();
  }
}

function userNamed({ identity, options }: Work, name: string): User {
  const user = identity.users.findByName(name);
  if (user === null)
    throw new ExitError(
      EXIT.badInput,
      `there is no user ${name} in ${options.dataDir}`,
      `there are ${identity.users
        .list()
        .map((one) => one.name)
        .join(', ')}`,
    );
  return user;
}

function note(
  { identity, options }: Work,
  act: string,
  subject: string,
  detail: Record<string, unknown>,
): void {
  const actor = { userId: null, by: userInfo().username, via: 'shell', address: '' } as const;
  identity.audit.write(actor, act, 'done', { subject, reason: options.reason, detail });
}

const moment = (at: number | null) => (at === null ? '-' : formatInstant(at));

function lineOf(identity: Identity, user: User) {
  const { name, role, disabled, secondFactor, mustChange, createdAt, lastLoginAt } = user;
  const lockedUntil = identity.attempts.lockedUntil(name);
  return { name, role, disabled, secondFactor, mustChange, createdAt, lastLoginAt, lockedUntil };
}

function list({ identity, terminal }: Work): void {
  const users = identity.users.list().map((user) => lineOf(identity, user));
  terminal.result({ users });
  const rows = users.map((user) => {
    const notes = [
      user.disabled && 'disabled',
      user.mustChange && 'one-time password',
      user.lockedUntil !== null && `locked until ${moment(user.lockedUntil)}`,
    ];
    return [
      user.name,
      user.role,
      user.secondFactor ? 'on' : 'off',
      moment(user.lastLoginAt),
      notes.filter((text) => text !== false).join(', '),
    ];
  });
  for (const row of table([['name', 'role', 'second factor', 'last log-in', ''], ...rows])) terminal.say(row);
}

/** Shows a password that is kept nowhere. */
function show({ terminal }: Work, user: User, password: string | null): void {
  terminal.result({ user: user.name, role: user.role, oneTimePassword: password });
  if (password === null) return;
  terminal.say(`  one-time password of ${user.name}: ${password}`);
  terminal.say('  It is shown once; it has to be changed at the first log-in.');
}

async function add(work: Work, name: string): Promise<void> {
  const { identity, terminal, options } = work;
  const { user, password } = await identity.users.add(name, options.role);
  note(work, 'user-added', user.name, { role: user.role });
  terminal.say(`${user.name} was added as ${user.role}.`);
  show(work, user, password);
}

function changeRole(work: Work, name: string, more: string): void {
  const role = more as Role;
  const user = userNamed(work, name);
  if (user.role !== role) {
    work.identity.users.setRole(user, role);
    note(work, 'user-role-changed', user.name, { from: user.role, to: role });
  }
  work.terminal.result({ user: user.name, role });
  work.terminal.say(`${user.name} is ${role} now.`);
}

function able(work: Work, name: string, disabled: boolean): void {
  const user = userNamed(work, name);
  if (user.disabled !== disabled) {
    work.identity.users.setDisabled(user, disabled);
    note(work, disabled ? 'user-disabled' : 'user-enabled', user.name, {});
  }
  work.terminal.result({ user: user.name, disabled });
  work.terminal.say(`${user.name} is ${disabled ? 'disabled' : 'enabled'} now.`);
}

async function resetPassword(work: Work, name: string): Promise<void> {
  const { identity, terminal, options } = work;
  const user = userNamed(work, name);
  const { withoutSecondFactor } = options;
  const chosen = options.ask ? await askSecret(`new password of ${user.name}: `) : null;
  if (chosen !== null) await identity.users.refuseBadPassword(user, chosen);
  const { password } = await identity.users.resetPassword(user, withoutSecondFactor);
  if (chosen !== null) await identity.users.choosePassword(identity.users.known(user.id), chosen, null);
  identity.attempts.forgive(user.name);
  note(work, 'user-password-reset', user.name, { withoutSecondFactor });
  terminal.say(`${user.name} has a new password; what was open has ended.`);
  show(work, user, chosen === null ? password : null);
}

function unlock(work: Work, name: string): void {
  const user = userNamed(work, name);
  work.identity.attempts.forgive(user.name);
  note(work, 'user-unlocked', user.name, {});
  work.terminal.result({ user: user.name, lockedUntil: null });
  work.terminal.say(`${user.name} may log in at once.`);
}

function remove(work: Work, name: string): void {
  const user = userNamed(work, name);
  work.identity.users.remove(user);
  note(work, 'user-removed', user.name, {});
  work.terminal.result({ user: user.name, removed: true });
  work.terminal.say(`${user.name} was removed.`);
}

function log({ identity, terminal, options }: Work): void {
  const entries = identity.audit.list({}, options.limit);
  const whole = identity.audit.verify();
  terminal.result({ ...whole, items: entries });
  const rows = entries.map(({ at, by, via, act, outcome, subject, reason }) => [
    formatInstant(at),
    `${by} (${via})`,
    outcome === 'done' ? act : `${act} ${outcome}`,
    subject,
    reason,
  ]);
  for (const row of table(rows)) terminal.say(row);
  if (whole.brokenAt === null) terminal.say(`${whole.entries} entries, chain whole`);
  else
    throw new ExitError(
      EXIT.failed,
      `the record was changed at entry ${whole.brokenAt}`,
      'somebody wrote to the file by other means than this program; compare it with a copy',
    );
}
