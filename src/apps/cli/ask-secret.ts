import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { EXIT, ExitError } from './terminal.ts';

/**
 * Asks for a secret without showing it, or reads one line where the input is no terminal. Throws {@link ExitError} where there
 * is none.
 */
export async function askSecret(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  const isTerminal = stdin.isTTY === true;
  // what is typed is echoed through the output: this one keeps it to itself
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: stdin, output: silent, terminal: isTerminal });
  if (isTerminal) stderr.write(prompt);
  try {
    const line = await new Promise<string | null>((done) => {
      reader.once('line', done);
      reader.once('close', () => done(null));
      reader.once('SIGINT', () => done(null));
    });
    if (line === null || line === '')
      throw new ExitError(EXIT.usage, 'no password was given', 'type one, or leave out --ask');
    return line;
  } finally {
    if (isTerminal) stderr.write('\n');
    reader.close();
  }
}
