import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `vite dev` finds a server of the console. */
const server = 'http://127.0.0.1:4700';

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: {
    // The contract's schemas are types only: a run-time import of `@contract` must not resolve, so no schema is shipped.
    alias: [
      {
        find: /^@contract\/paths$/,
        replacement: new URL('../src/apps/contract/paths.ts', import.meta.url).pathname,
      },
    ],
  },
  build: {
    target: 'es2023',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { '/api': server, '/auth': server, '/docs': server, '/ws': { target: server, ws: true } },
  },
});
