import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly max_tokens?: number;
    readonly tools?: readonly { readonly function: { readonly name: string } }[];
    readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  };
}

/** What the provider answers to its nth request: a message, raw text with a status, or nothing at all. */
export type Turn =
  | { readonly says: string }
  | { readonly calls: string; readonly with?: unknown }
  | { readonly raw: string; readonly status?: number }
  | 'hang';

/** A provider on loopback that speaks the chat completions protocol. */
export class LlmServer {
  readonly asked: Asked[] = [];
  turns: readonly Turn[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  static async open(): Promise<LlmServer> {
    const made = new LlmServer();
    await new Promise<void>((done) => made.server.listen(0, '127.0.0.1', done));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  script(...turns: readonly Turn[]): void {
    this.asked.length = 0;
    this.turns = turns;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { authorization } = request.headers;
    this.asked.push({ authorization, body: JSON.parse(text) as Asked['body'] });
    const turn = this.turns[Math.min(this.asked.length, this.turns.length) - 1] ?? { says: '' };
    if (turn === 'hang') return;
    if ('raw' in turn) {
      response.writeHead(turn.status ?? 200, { 'content-type': 'application/json' }).end(turn.raw);
      return;
    }
    const message =
      'says' in turn
        ? { role: 'assistant', content: turn.says }
        : {
            role: 'assistant',
            content: null,
            tool_calls: [
              {
                id: `call-${this.asked.length}`,
                type: 'function',
                function: { name: turn.calls, arguments: JSON.stringify(turn.with ?? {}) },
              },
            ],
          };
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        id: 'gen-1',
        object: 'chat.completion',
        created: 1_700_000_000,
        model: 'test',
        choices: [{ index: 0, finish_reason: 'says' in turn ? 'stop' : 'tool_calls', message }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
  }
}
