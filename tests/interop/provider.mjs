// The identity server behind the gateway: oidc-provider with its endpoints under /oauth2/, a login and a consent
// page of its own, and beside them an API that checks keys, an admin UI and a WebSocket that echoes.
//
//     node provider.mjs PORT ISSUER        ISSUER is the gateway's URL
//
// Every answer carries `X-Upstream: idp`, so that a test can tell who answered.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { WebSocketServer } from 'ws';

const [port, issuer] = process.argv.slice(2);
const peers = JSON.parse(readFileSync(new URL('./clients.json', import.meta.url), 'utf8'));
const scopes = { [peers.audiences.restricted]: 'read:users', [peers.audiences.open]: 'read:news' };

const application = ({ client_id, client_secret, auth }) => ({
  client_id,
  client_secret,
  token_endpoint_auth_method: auth,
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [peers.redirect_uri],
  post_logout_redirect_uris: [peers.post_logout_redirect_uri],
});

const provider = new Provider(issuer, {
  clients: [
    ...Object.values(peers.applications).map(application),
    {
      client_id: peers.machine.client_id,
      client_secret: peers.machine.client_secret,
      token_endpoint_auth_method: peers.machine.auth,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  routes: {
    authorization: '/oauth2/authorize',
    token: '/oauth2/token',
    userinfo: '/oauth2/userinfo',
    end_session: '/oauth2/logout',
    introspection: '/oauth2/introspect',
    revocation: '/oauth2/revoke',
    pushed_authorization_request: '/oauth2/par',
    jwks: '/.well-known/jwks.json',
  },
  interactions: { url: (_ctx, { uid }) => `/oauth2/interaction/${uid}` },
  cookies: { keys: ['a key of the tests alone'] },
  scopes: ['openid', 'offline_access'],
  claims: { openid: ['sub'], profile: ['name'] },
  pkce: { required: () => true },
  issueRefreshToken: async (_ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  findAccount: async (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, name: 'Ada' }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: async (_ctx, resource) => ({
        audience: resource,
        scope: scopes[resource] ?? '',
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
// Behind a gateway that alone says who the client is and how it was addressed.
provider.proxy = true;

const page = (res, form) => {
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.end(`<!doctype html><title>Sign in</title><form method="post">${form}<button>Go on</button></form>`);
};

/** GET shows the login or the consent form; POST is its answer. */
async function interaction(req, res) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(req, res);
  if (req.method === 'GET') {
    return page(res, prompt.name === 'login' ? '<input name="login"><input name="password" type="password">' : '');
  }
  const form = new URLSearchParams((await req.setEncoding('utf8').toArray()).join(''));
  if (prompt.name === 'login') {
    return provider.interactionFinished(req, res, { login: { accountId: form.get('login') } });
  }
  const grant = (grantId && (await provider.Grant.find(grantId)))
    || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(prompt.details.missingOIDCScope?.join(' ') ?? '');
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

/** As FusionAuth's API: a wrong key is answered by 401 and nothing else. What arrived is shown to the test alone. */
function api(req, res) {
  res.setHeader('X-Seen-Authorization', req.headers.authorization ?? '');
  if (!Object.values(peers.api_keys).includes(req.headers.authorization)) {
    return res.writeHead(401).end();
  }
  return json(res, { target: req.url, headers: req.headers });
}

const json = (res, value) => res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));

const oidc = provider.callback();
const server = createServer((req, res) => {
  res.setHeader('X-Upstream', 'idp');
  const path = req.url.split('?')[0];
  if (path.startsWith('/api/status')) return json(res, { status: 'ok' });
  if (path.startsWith('/api/')) return api(req, res);
  if (path.startsWith('/admin/')) return json(res, { page: 'admin', target: req.url });
  if (path.startsWith('/echo/')) return json(res, { target: req.url, method: req.method, headers: req.headers, raw: req.rawHeaders });
  if (/^\/(account|email|password|registration)\//.test(path)) return json(res, { page: path });
  if (/^\/oauth2\/interaction\/[^/]+$/.test(path)) {
    return interaction(req, res).catch((error) => {
      res.writeHead(error.statusCode ?? 500).end(error.message);
    });
  }
  return oidc(req, res);
});

const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (req, socket, head) => {
  if (!/^\/(oauth2|ws)\//.test(req.url)) return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX-Upstream: idp\r\n\r\n');
  return sockets.handleUpgrade(req, socket, head, (client) => {
    client.on('message', (data, binary) => client.send(data, { binary }));
    client.on('error', () => client.terminate());
  });
});
server.listen(Number(port), '127.0.0.1', () => console.log(`provider on ${port} for ${issuer}`));
