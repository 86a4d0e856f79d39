import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly user: string | null;
  readonly secure: boolean;
}

/** A certificate of this machine for itself; the path of the file to trust. */
export function ownCertificate(folder: string): { cert: string; key: string; certFile: string } {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...name, '-keyout', keyFile, '-out', certFile], {
    stdio: 'ignore',
  });
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile };
}

/** Takes mail. `refuse` gives the code and words for a recipient that is not taken. */
export class SmtpLoopback {
  readonly mails: Mail[] = [];
  /** Answers to the next mails instead of taking them. */
  readonly faults: { code: number; message: string }[] = [];
  private readonly server: SMTPServer;

  constructor(options: {
    tls: 'implicit' | 'starttls' | 'none';
    certificate?: { cert: string; key: string };
    account?: { user: string; password: string };
  }) {
    const { tls, certificate, account } = options;
    this.server = new SMTPServer({
      secure: tls === 'implicit',
      ...(certificate === undefined ? {} : certificate),
      ...(tls === 'none' ? { disabledCommands: ['STARTTLS'] } : {}),
      authOptional: account === undefined,
      disableReverseLookup: true,
      logger: false,
      onAuth: ({ username, password }, _, done) => {
        if (username === account?.user && password === account?.password) done(null, { user: username });
        else done(Object.assign(new Error('Authentication failed'), { responseCode: 535 }));
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const fault = this.faults.shift();
          if (fault !== undefined) {
            done(Object.assign(new Error(fault.message), { responseCode: fault.code }));
            return;
          }
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map((one) => one.address),
            raw: Buffer.concat(chunks).toString('utf8'),
            user: (session.user as string | undefined) ?? null,
            secure: session.secure,
          });
          done();
        });
      },
    });
    this.server.on('error', () => undefined);
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return this;
  }

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await new Promise<void>((done) => this.server.close(() => done()));
  }
}
