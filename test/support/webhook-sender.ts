import { Agent, request } from 'node:http';
import { signatureHeader } from '#adapters';
import type { Instant } from '#base';

/** Posts signed bodies, as a relay does. */
export class WebhookSender {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 8 });
  private readonly secret: string;
  private readonly key: string;

  constructor(secret: string, key: string) {
    this.secret = secret;
    this.key = key;
  }

  /** The status of the answer; null when there is none. */
  send(port: number, text: string, now: Instant): Promise<number | null> {
    const body = Buffer.from(text);
    const timestamp = String(Math.floor(now / 1_000));
    return new Promise((done) => {
      const call = request(
        {
          host: '127.0.0.1',
          port,
          method: 'POST',
          path: `/webhook/${this.secret}/s1`,
          agent: this.agent,
          headers: {
            'content-type': 'application/json',
            'content-length': body.length,
            'x-timestamp': timestamp,
            'x-signature': signatureHeader(this.key, timestamp, body),
          },
        },
        (response) => {
          response.resume();
          response.on('end', () => done(response.statusCode ?? null));
          response.on('error', () => done(null));
        },
      );
      call.on('error', () => done(null));
      call.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
