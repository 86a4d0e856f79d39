import { WebSocket } from 'ws';
import { DAY } from '#base';
import type { Scope } from '../../../src/apps/contract/index.ts';
import { PASSWORD } from '../identity/people.ts';
import { type Answer, type Visitor, World } from './world.ts';

/** A console under attack, what was tried on it, and what must never be seen again. */
export class Siege {
  world!: World;
  readonly table: { readonly attack: string; readonly tried: number; readonly outcome: string }[] = [];
  /** Name -> text of everything that must not be read in a log, an error or a file. */
  readonly secrets = new Map<string, string>();

  async begin(): Promise<void> {
    this.world = await World.open();
    this.secrets.set('one-time password', this.world.console.firstUser!.password);
    this.secrets.set('password', PASSWORD);
    await this.world.user('boss', 'administrator');
    await this.world.user('tess', 'trader');
    await this.world.user('vera', 'viewer');
  }

  report(attack: string, tried: number, outcome: string): void {
    this.table.push({ attack, tried, outcome });
  }

  /** The table of attacks as text. */
  text(): string {
    const rows = [
      ['attack', 'tried', 'outcome'],
      ...this.table.map((row) => [row.attack, String(row.tried), row.outcome]),
    ];
    const width = (column: number) => Math.max(...rows.map((row) => row[column]!.length));
    const [first, second] = [width(0), width(1)];
    return rows.map(([a, b, c]) => `${a!.padEnd(first)}  ${b!.padStart(second)}  ${c}`).join('\n');
  }

  async logIn(name: string): Promise<Visitor> {
    const visitor = await this.world.visit(name);
    this.secrets.set(`cookie of ${name} ${this.secrets.size}`, visitor.cookie.split('=')[1]!);
    return visitor;
  }

  tokenOf(name: string, scopes: readonly Scope[]): string {
    const { identity } = this.world;
    const user = identity.users.findByName(name)!;
    const { text } = identity.apiTokens.make(user, 'test', scopes, identity.store.now() + 400 * DAY);
    this.secrets.set(`API token ${this.secrets.size}`, text.slice('qrm_'.length + 24 + 1));
    return text;
  }

  async jwtOf(name: string): Promise<string> {
    const body = `grant_type=password&username=${name}&password=${encodeURIComponent(PASSWORD)}`;
    const answer = await this.world.send('/auth/token', { method: 'POST', body, headers: FORM });
    const { access_token } = JSON.parse(answer.text) as { access_token: string };
    this.secrets.set(`JWT ${this.secrets.size}`, access_token);
    return access_token;
  }

  tryPassword(name: string, password: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.world.send('/api/v1/session', { method: 'POST', body: { name, password }, headers });
  }

  /** Opens the live feed; the code it was closed with, or `open` after a first message. */
  live(
    headers: Record<string, string>,
    protocols: string[] = [],
  ): Promise<{ end: string; socket: WebSocket }> {
    const url = `ws://127.0.0.1:${this.world.console.port}/ws/live-feed`;
    const socket = new WebSocket(url, protocols, { headers });
    return new Promise((done) => {
      socket.on('error', () => undefined);
      socket.on('unexpected-response', (_request, response) =>
        done({ end: `HTTP ${response.statusCode}`, socket }),
      );
      socket.on('close', (code) => done({ end: String(code), socket }));
      socket.on('message', () => done({ end: 'open', socket }));
    });
  }
}

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
