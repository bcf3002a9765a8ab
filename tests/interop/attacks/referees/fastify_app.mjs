// Fastify with every leniency of its router switched on.
import formbody from '@fastify/formbody';
import multipart from '@fastify/multipart';
import Fastify from 'fastify';
import { verdict } from './judge.mjs';

const app = Fastify({
  trustProxy: true,
  routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, useSemicolonDelimiter: true },
});
app.register(formbody);
app.register(multipart, { attachFieldsToBody: 'keyValues' });
const answer = (resource) => (request, reply) => {
  const kind = request.headers['content-type'] ?? '';
  const places = { query: request.query, [/json/i.test(kind) ? 'json' : 'form']: request.body };
  reply.header('x-referee', 'fastify').header('x-believed', request.ip).send(verdict('fastify', resource, request, places));
};
app.register(async (routes) => {
  for (const path of ['/oauth2/authorize', '/oauth2/token', '/api/v2/users', '/api/status']) routes.all(path, answer(path));
  routes.all('/account/*', answer('/account/'));
  routes.all('/account', answer('/account/'));
  routes.all('/*', answer('other'));
});
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' });
