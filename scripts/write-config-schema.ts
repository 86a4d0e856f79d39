// Writes schema/quorum.config.schema.json from the schema that checks configurations. --check only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationJsonSchema } from '../src/apps/setup/configuration.ts';

const path = new URL('../schema/quorum.config.schema.json', import.meta.url);
const text = `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== text) {
    process.stderr.write(
      'schema/quorum.config.schema.json is old: run node scripts/write-config-schema.ts\n',
    );
    process.exitCode = 1;
  }
} else writeFileSync(path, text);
