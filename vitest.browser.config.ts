import { defineConfig } from 'vitest/config';
import shared from './vitest.config.ts';

// The pages in a real browser: npm run browser. Apart from the other checks, which must not wait for a browser.
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ['test/browser/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    maxWorkers: 1,
  },
});
