import { WebSocket } from 'ws';

interface Client {
  readonly socket: WebSocket;
  last: number | null;
}

/** Live clients that check that every message follows on the one before. */
export class LiveCrowd {
  /** Messages whose `prev` is not the `seq` before them. */
  missed = 0;
  messages = 0;
  private readonly clients: Client[] = [];

  static async join(url: string, token: string, count: number): Promise<LiveCrowd> {
    const crowd = new LiveCrowd();
    for (let i = 0; i < count; i += 20)
      await Promise.all(Array.from({ length: Math.min(20, count - i) }, () => crowd.add(url, token)));
    return crowd;
  }

  async leave(): Promise<void> {
    await Promise.all(
      this.clients.map(
        ({ socket }) =>
          new Promise((closed) => {
            socket.once('close', closed);
            socket.close();
          }),
      ),
    );
  }

  private add(url: string, token: string): Promise<void> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws/live-feed`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const client: Client = { socket, last: null };
    this.clients.push(client);
    socket.on('message', (data) => this.take(client, String(data)));
    return new Promise((open, failed) => {
      socket.once('open', () => open());
      socket.once('error', failed);
    });
  }

  private take(client: Client, text: string): void {
    const { type, seq, prev, data } = JSON.parse(text) as {
      type: string;
      seq: number | null;
      prev: number | null;
      data: { seq?: number };
    };
    this.messages += 1;
    if (type === 'hello') {
      client.last = data.seq ?? null;
      return;
    }
    if (type === 'reset') this.missed += 1;
    if (seq === null) return;
    if (client.last !== null && prev !== client.last) this.missed += 1;
    client.last = seq;
  }
}
