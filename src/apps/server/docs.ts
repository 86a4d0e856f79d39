import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { openApi } from './openapi.ts';

/** The OpenAPI document at /docs/json and a page about it at /docs, for those who are logged in. */
export async function registerDocs(app: FastifyInstance, cookieName: string): Promise<void> {
  const document = openApi(cookieName);
  await app.register(async (docs) => {
    await docs.register(swagger, { mode: 'static', specification: { document: document as never } });
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { docExpansion: 'none', persistAuthorization: false, tryItOutEnabled: false },
      transformSpecificationClone: false,
    });
  });
}
