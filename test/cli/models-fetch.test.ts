import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpLoopback } from '../support/http-loopback.ts';
import { tinyFinbertFiles } from '../support/tiny-finbert.ts';
import { jsonOf, runCli, Workplace } from './run-cli.ts';

let place: Workplace;
let server: HttpLoopback;
beforeEach(async () => {
  place = new Workplace();
  const files = tinyFinbertFiles();
  server = await new HttpLoopback(({ path }, response) => {
    const data = files.get(path.slice('/model/'.length));
    response.writeHead(data === undefined ? 404 : 200).end(data);
  }).start();
});
afterEach(async () => {
  await server.stop();
  place.remove();
});

describe('quorum models fetch finbert', () => {
  it('fetches the model into the data directory, once', async () => {
    const args = [
      'models',
      'fetch',
      'finbert',
      '--from',
      `${server.url}/model/`,
      '--data-dir',
      place.path('data'),
    ];
    const first = await runCli(...args, '--json');
    expect(first.code, first.stderr).toBe(0);
    expect(jsonOf(first)).toMatchObject({
      folder: place.path('data/models/finbert'),
      vouched: false,
      runtime: true,
      files: [
        { name: 'config.json' },
        { name: 'tokenizer.json' },
        { name: 'onnx/model.onnx', resumedFrom: 0 },
      ],
    });
    expect(first.stderr).toContain('did not say what the model must be');
    const again = await runCli(...args);
    expect(again.stdout.match(/was here/g)).toHaveLength(3);
  });

  it('says what to do without a network, with the exit code of an unreachable host', async () => {
    const { url } = server;
    await server.stop();
    const result = await runCli('models', 'fetch', 'finbert', '--from', url, '--to', place.path('m'));
    expect(result.code).toBe(5);
    expect(result.stderr).toContain('cannot be reached');
    expect(result.stderr).toContain('--from names another address');
    await server.start();
  });

  it('knows no other model', async () => {
    expect((await runCli('models', 'fetch', 'oracle')).code).toBe(2);
  });
});
