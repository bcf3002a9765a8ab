// Express 5: routes without regard to case, `extended` forms (qs), mounted trees.
import express from 'express';
import multer from 'multer';
import { verdict } from './judge.mjs';

const app = express();
app.set('trust proxy', true);
app.set('query parser', 'extended');
app.disable('x-powered-by');
app.use(express.json({ strict: false, type: ['json', '+json'] }), express.urlencoded({ extended: true }), multer().none());
app.use((error, request, response, next) => next());

const answer = (resource) => (request, response) => {
  const kind = request.headers['content-type'] ?? '';
  const places = { query: request.query, [/json/i.test(kind) ? 'json' : 'form']: request.body };
  const text = verdict('express', resource, request, places);
  response.set('x-referee', 'express').set('x-believed', String(request.ip)).send(text);
};
for (const path of ['/oauth2/authorize', '/oauth2/token', '/api/v2/users', '/api/status']) app.all(path, answer(path));
app.use('/account', answer('/account/'));
app.use(answer('other'));
app.use((error, request, response, next) => response.status(400).set('x-referee', 'express').json({ referee: 'express', resource: 'error' }));
app.listen(Number(process.argv[2]), '127.0.0.1');
