import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import fastifyStatic from '@fastify/static';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

/** Files whose names change with their content. */
const HASHED = /[/\\]assets[/\\][^/\\]+$/;
const FOR_EVER = 'private, max-age=31536000, immutable';

/** Where the built page is. */
@Injectable()
export class PageFolder {
  readonly path: string = fileURLToPath(new URL('../../../../page', import.meta.url));
}

/** The page, which is built into files. Only those that are there at the start are served. */
@Injectable()
export class PageFiles {
  constructor(private readonly folder: PageFolder) {}

  async addTo(server: FastifyInstance): Promise<void> {
    const root = this.folder.path;
    if (!existsSync(root)) {
      server.get('/', (_request, reply) =>
        reply.code(404).send({
          error: 'the page has not been built: npm run build does it; /summary needs no build',
        }),
      );
      return;
    }
    await server.register(fastifyStatic, {
      root,
      // A route for each file: no path that a request names is ever looked up.
      wildcard: false,
      decorateReply: false,
      preCompressed: true,
      cacheControl: false,
      etag: false,
      lastModified: false,
      setHeaders: (reply, path) => {
        if (HASHED.test(path)) {
          void reply.header('cache-control', FOR_EVER);
        }
      },
    });
  }
}
