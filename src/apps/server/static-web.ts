import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './context.ts';

/** Addresses that belong to programs: what is not there is not answered with a page. */
const OF_PROGRAMS = /^\/(api|auth|ws|docs|metrics|assets)(\/|$)/;

/** Ways out of a folder, and what is in no address of ours. */
const STRANGE = /\.\.|\\|%(2f|5c|2e|00)/i;

const NO_PAGES = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Quorum</title>
<h1>Quorum</h1><p>The server runs, but its pages are not built: run <code>npm install</code> and start again.
What it answers to programs is described at <a href="/docs">/docs</a>.</p></html>`;

/**
 * Serves the built pages to everybody: they hold no data. Names with a hash in them may be kept for good. Every other address
 * that a browser opens is a page of the application itself.
 */
export async function registerWeb(app: FastifyInstance, root: string | null): Promise<void> {
  if (root !== null) {
    await app.register(async (scope) => {
      scope.addHook('onRoute', (route) => {
        route.config = { ...route.config, access: 'anyone' };
      });
      await scope.register(fastifyStatic, {
        root,
        index: ['index.html'],
        dotfiles: 'ignore',
        cacheControl: false,
        setHeaders: (reply, path) => {
          const isHashed = path.startsWith(join(root, 'assets'));
          reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
        },
      });
    });
  }
  app.setNotFoundHandler((request, reply) => notFound(request, reply, root));
}

function notFound(request: FastifyRequest, reply: FastifyReply, root: string | null): FastifyReply {
  const [path = '/'] = request.url.split('?', 1);
  const isPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
  if (!isPage || STRANGE.test(path) || OF_PROGRAMS.test(path) || /\.[a-z0-9]{1,8}$/i.test(path))
    throw new Problem(404, 'not-found', 'there is nothing here', 'see /docs for what there is');
  const index = root === null ? null : join(root, 'index.html');
  // read each time: a newer build may have been put there
  const html = index !== null && existsSync(index) ? readFileSync(index, 'utf8') : NO_PAGES;
  return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(html);
}
