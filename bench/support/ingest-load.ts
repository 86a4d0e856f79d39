// Sends a fixed number of signed bars, each sender its next when its last is answered: over keep-alive connections, or with
// HTTP/1.0 and a connection for each request, as nginx does for a proxied location that says nothing of either.
// node ingest-load.ts PORT REQUESTS CONNECTIONS FIRST keep|each
// Prints one JSON object: how many of each status, seconds, and percentiles of the time to an answer in ms.
import { connect } from 'node:net';
import { requestBytes } from './ingest-work.ts';

const [port = 0, requests = 0, connections = 0, first = 0] = process.argv.slice(2).map(Number);
const now = Date.now();
const isEach = process.argv[6] === 'each';
const bytes = Array.from({ length: requests }, (_, n) => requestBytes(first + n, port, now, isEach));
const latencies = new Float64Array(requests);
const statuses: Record<string, number> = {};
let next = 0;

function run(): Promise<void> {
  return new Promise((done, failed) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let mine = -1;
    let sentAt = 0;
    let text = '';
    const send = () => {
      if (next >= requests) {
        socket.destroy();
        return done();
      }
      mine = next++;
      sentAt = performance.now();
      socket.write(bytes[mine]!);
    };
    socket.on('connect', send);
    socket.on('error', failed);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (!(length >= 0)) return failed(new Error(`an answer without a length: ${text.slice(0, 200)}`));
      if (text.length < head + 4 + length) return;
      const status = text.slice(9, 12);
      statuses[status] = (statuses[status] ?? 0) + 1;
      latencies[mine] = performance.now() - sentAt;
      text = '';
      send();
    });
  });
}

/** One sender, a connection for each request. */
async function runEach(): Promise<void> {
  while (next < requests) await one(next++);
}

function one(mine: number): Promise<void> {
  return new Promise((done, failed) => {
    const sentAt = performance.now();
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.on('connect', () => socket.write(bytes[mine]!));
    socket.on('error', failed);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    // the answer is whole when the other side has ended
    socket.on('close', () => {
      const status = text.slice(9, 12);
      statuses[status] = (statuses[status] ?? 0) + 1;
      latencies[mine] = performance.now() - sentAt;
      done();
    });
  });
}

const began = performance.now();
await Promise.all(Array.from({ length: connections }, isEach ? runEach : run));
const seconds = (performance.now() - began) / 1_000;
latencies.sort();
const at = (share: number) => latencies[Math.min(requests - 1, Math.ceil(share * requests) - 1)]!;
process.stdout.write(
  `${JSON.stringify({ statuses, seconds, p50: at(0.5), p99: at(0.99), p999: at(0.999) })}\n`,
);
