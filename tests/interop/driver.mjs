// openid-client (a certified relying party) and a browser against the provider, through the gateway.
//
//     EDGE=URL DECOY=URL PEER=URL node driver.mjs
//
// EDGE and DECOY take the client's address from X-Forwarded-For, PEER from the connection.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as client from 'openid-client';
import { Browser, place } from './browser.mjs';
import { check, summary } from './checks.mjs';

const { EDGE, DECOY, PEER } = process.env;
const peers = JSON.parse(readFileSync(new URL('./clients.json', import.meta.url), 'utf8'));
const { storefront, backoffice, payroll } = peers.applications;
const office = place({ forwarded: peers.addresses.allowed });
const outside = place({ forwarded: peers.addresses.blocked });
const secondHost = place({ source: peers.peers.allowed });
const thirdHost = place({ source: peers.peers.blocked });

const authentication = { client_secret_basic: client.ClientSecretBasic, client_secret_post: client.ClientSecretPost };

async function configure(gateway, from, { client_id, client_secret, auth }) {
  const options = { execute: [client.allowInsecureRequests], [client.customFetch]: from.request };
  return client.discovery(new URL(gateway), client_id, undefined, authentication[auth](client_secret), options);
}

/** The authorization request of an application, with PKCE; `secrets` are what the code is redeemed with. */
async function authorization(config, extra = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const secrets = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: peers.redirect_uri,
    scope: 'openid profile offline_access',
    prompt: 'consent',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: secrets.expectedState,
    nonce: secrets.expectedNonce,
    ...extra,
  });
  return { url, secrets };
}

/** Signs in from end to end: login, consent, code, refresh, userinfo. */
async function signIn(gateway, from, application, extra) {
  const config = await configure(gateway, from, application);
  const { url, secrets } = await authorization(config, extra);
  const browser = new Browser(from.request);
  const { arrived, stopped, html } = await browser.travel(url, peers.redirect_uri, { login: 'ada', password: 'x' });
  assert.ok(arrived, `stopped with ${stopped?.status}: ${html}`);
  const tokens = await client.authorizationCodeGrant(config, arrived, secrets);
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
  const { name } = await client.fetchUserInfo(config, fresh.access_token, tokens.claims().sub);
  assert.equal(name, 'Ada');
  return { config, browser, tokens: { ...tokens, refresh_token: fresh.refresh_token ?? tokens.refresh_token } };
}

const logoutUrl = (config, tokens) => client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: peers.post_logout_redirect_uri,
});

async function signOut({ config, browser, tokens }) {
  const { arrived, stopped, html } = await browser.travel(logoutUrl(config, tokens), peers.post_logout_redirect_uri, { logout: 'yes' });
  assert.ok(arrived, `stopped with ${stopped?.status}: ${html}`);
}

/** SPEC §5: sign-on page blocked: 403, HTML for a browser and JSON for others; nothing of the upstream. */
async function refusedPage(response, kind = /^text\/html/) {
  assert.equal(response.status, 403);
  assert.match(response.headers.get('Content-Type') ?? '', kind);
  assert.equal(response.headers.get('X-Upstream'), null, 'the upstream was asked');
  const body = await response.text();
  if (kind.test('application/json')) JSON.parse(body);
  else assert.match(body, /<html|<!doctype/i);
}

async function fromUpstream(response, status = 200) {
  assert.equal(response.headers.get('X-Upstream'), 'idp', `answered by the gateway with ${response.status}`);
  assert.equal(response.status, status);
  return response;
}

const interactionOf = (gateway) => `${gateway}/oauth2/interaction/none`;
const authorizeOf = (gateway, query) => `${gateway}/oauth2/authorize?${new URLSearchParams(query)}`;

await check('discovery names the gateway in every endpoint', async () => {
  const metadata = (await configure(EDGE, outside, storefront)).serverMetadata();
  const urls = Object.entries(metadata).filter(([key, value]) => /(_endpoint|_uri|issuer)$/.test(key) && typeof value === 'string');
  assert.ok(urls.length >= 6);
  urls.forEach(([key, value]) => assert.ok(value.startsWith(EDGE), `${key} is ${value}`));
});

for (const [name, application] of Object.entries(peers.applications)) {
  await check(`${name}: sign-in, refresh, userinfo and logout from the office`, async () => {
    await signOut(await signIn(EDGE, office, application));
  });
}

await check('application open, tenant closed: storefront signs in and out from outside', async () => {
  await signOut(await signIn(EDGE, outside, storefront));
});

await check('the application takes precedence over the tenant that is named beside it', async () => {
  await signIn(EDGE, outside, storefront, { tenantId: peers.tenants.acme });
});

await check('application without an ACL, tenant closed: backoffice is blocked outside', async () => {
  const { url } = await authorization(await configure(EDGE, outside, backoffice));
  await refusedPage(await new Browser(outside.request).open(url));
});

await check('application closed, tenant open: payroll is blocked outside, its tenant is not', async () => {
  const { url } = await authorization(await configure(EDGE, outside, payroll));
  await refusedPage(await new Browser(outside.request).open(url));
  await fromUpstream(await outside.request(`${EDGE}/account/?tenantId=${peers.tenants.public}`));
});

await check('the tenant alone: acme is blocked outside and open to the office', async () => {
  const url = authorizeOf(EDGE, { tenantId: peers.tenants.acme });
  await refusedPage(await new Browser(outside.request).open(url));
  assert.equal((await office.request(url)).headers.get('X-Upstream'), 'idp');
});

await check('every sign-on prefix is closed to a blocked application', async () => {
  for (const prefix of ['/oauth2/', '/account/', '/email/', '/password/', '/registration/']) {
    const url = `${EDGE}${prefix}page?client_id=${backoffice.client_id}`;
    await refusedPage(await new Browser(outside.request).open(url));
    assert.equal((await office.request(url)).headers.get('X-Upstream'), 'idp', prefix);
  }
});

await check('the admin UI and the API are not sign-on pages', async () => {
  await fromUpstream(await outside.request(`${EDGE}/admin/?client_id=${backoffice.client_id}`));
  const key = { Authorization: peers.api_keys.upstream_only };
  await fromUpstream(await outside.request(`${EDGE}/api/user?client_id=${backoffice.client_id}`, { headers: key }));
});

await check('a blocked page: HTML for a browser, JSON for others', async () => {
  const url = authorizeOf(EDGE, { client_id: backoffice.client_id });
  await refusedPage(await outside.request(url, { headers: { Accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' } }));
  await refusedPage(await outside.request(url, { headers: { Accept: 'application/json' } }), /^application\/json/);
  await refusedPage(await outside.request(url, { headers: { Accept: '*/*' } }), /^application\/json/);
});

await check('HEAD of a blocked page: the status alone', async () => {
  const response = await outside.request(authorizeOf(EDGE, { client_id: backoffice.client_id }), { method: 'HEAD' });
  assert.equal(response.status, 403);
  assert.equal(await response.text(), '');
});

await check('moved outside after sign-in: refresh and redemption of a blocked application are refused', async () => {
  const { config, tokens } = await signIn(EDGE, office, backoffice);
  const moved = await configure(EDGE, outside, backoffice);
  await assert.rejects(client.refreshTokenGrant(moved, tokens.refresh_token), ({ cause, status }) => (cause?.status ?? status) === 403);
  await client.refreshTokenGrant(config, tokens.refresh_token);
});

await check('an id_token_hint is a hint: it closes the logout of a blocked application', async () => {
  const { config, browser, tokens } = await signIn(EDGE, office, backoffice);
  const hintAlone = logoutUrl(config, tokens);
  hintAlone.searchParams.delete('client_id');
  await refusedPage(await new Browser(outside.request).open(hintAlone));
  await signOut({ config, browser, tokens });
});

await check('introspection and revocation obey the same ACL', async () => {
  const { config, tokens } = await signIn(EDGE, office, backoffice);
  const moved = await configure(EDGE, outside, backoffice);
  await assert.rejects(client.tokenIntrospection(moved, tokens.refresh_token));
  await assert.rejects(client.tokenRevocation(moved, tokens.refresh_token));
  assert.equal((await client.tokenIntrospection(config, tokens.refresh_token)).active, true);
  await client.tokenRevocation(config, tokens.refresh_token);
  assert.equal((await client.tokenIntrospection(config, tokens.refresh_token)).active, false);
});

for (const [name, application] of Object.entries({ storefront, payroll })) {
  await check(`pushed authorization request: ${name} from the office`, async () => {
    const config = await configure(EDGE, office, application);
    const url = await client.buildAuthorizationUrlWithPAR(config, { redirect_uri: peers.redirect_uri, scope: 'openid', code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()), code_challenge_method: 'S256' });
    const { arrived } = await new Browser(office.request).travel(url, peers.redirect_uri, { login: 'ada' });
    assert.ok(arrived?.searchParams.get('code'));
  });
}

await check('pushed authorization request: payroll is blocked outside, in a Basic user too', async () => {
  const config = await configure(EDGE, outside, payroll);
  await assert.rejects(client.buildAuthorizationUrlWithPAR(config, { redirect_uri: peers.redirect_uri, scope: 'openid' }));
  const basic = Buffer.from(`${payroll.client_id}:${payroll.client_secret}`).toString('base64');
  await refusedPage(await outside.request(`${EDGE}/oauth2/par`, { method: 'POST', headers: { Authorization: `Basic ${basic}` } }), /json/);
});

const { restricted, open } = peers.audiences;
const grant = async (gateway, from, resource) => client.clientCredentialsGrant(await configure(gateway, from, peers.machine), resource ? { resource } : {});

/** SPEC §5: token issuance blocked. openid-client parses it as the error of RFC 6749 §5.2. */
const refusedToken = (address) => (error) => {
  assert.equal(error.status, 400);
  assert.equal(error.error, 'invalid_request');
  assert.equal(error.error_description, `Access from IP address ${address} is not allowed.`);
  assert.match(error.response?.headers.get('Cache-Control') ?? 'no-store', /no-store/);
  return true;
};

await check('client credentials: the restricted audience from the office', async () => {
  const { access_token } = await grant(EDGE, office, restricted);
  const claims = JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url'));
  assert.equal(claims.aud, restricted);
});

await check('client credentials: the restricted audience from outside is refused, with the address', async () => {
  await assert.rejects(grant(EDGE, outside, restricted), refusedToken(peers.addresses.blocked));
  await assert.rejects(grant(EDGE, outside, restricted.replace(/\/$/, '')), refusedToken(peers.addresses.blocked));
  await assert.rejects(grant(EDGE, outside, restricted.replace('https://acme', 'HTTPS://Acme')), refusedToken(peers.addresses.blocked));
});

await check('client credentials: the answer to a refused token is not to be stored', async () => {
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource: restricted }).toString();
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const response = await outside.request(`${EDGE}/oauth2/token`, { method: 'POST', body, headers });
  assert.equal(response.status, 400);
  assert.equal(response.headers.get('Cache-Control'), 'no-store');
  assert.equal(response.headers.get('X-Upstream'), null);
  assert.deepEqual(Object.keys(await response.json()).sort(), ['error', 'error_description']);
});

await check('client credentials: the open audience and none at all are untouched', async () => {
  for (const from of [office, outside]) {
    assert.ok((await grant(EDGE, from, open)).access_token);
    assert.ok((await grant(EDGE, from)).access_token);
  }
});

await check('client credentials: of several audiences one that blocks is enough', async () => {
  const config = await configure(EDGE, outside, peers.machine);
  for (const both of [[open, restricted], [restricted, open]]) {
    const parameters = new URLSearchParams(both.map((each) => ['resource', each]));
    await assert.rejects(client.clientCredentialsGrant(config, parameters), refusedToken(peers.addresses.blocked));
  }
});

await check('other grants are untouched by an audience that blocks', async () => {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'none', resource: restricted }).toString();
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const response = await outside.request(`${EDGE}/oauth2/token`, { method: 'POST', body, headers });
  assert.equal(response.headers.get('X-Upstream'), 'idp');
});

await check('API key: from the office it reaches the upstream as it came', async () => {
  const headers = { Authorization: peers.api_keys.office };
  const seen = await (await fromUpstream(await office.request(`${EDGE}/api/user?x=%41&y=+`, { headers }))).json();
  assert.equal(seen.target, '/api/user?x=%41&y=+');
  assert.equal(seen.headers.authorization, peers.api_keys.office);
});

await check('API key: from outside 401 with an empty body, on every path', async () => {
  const basic = `Basic ${Buffer.from(`apikey:${peers.api_keys.office}`).toString('base64')}`;
  for (const Authorization of [peers.api_keys.office, basic]) {
    for (const path of ['/api/user', '/admin/', '/oauth2/token', '/', '/.well-known/openid-configuration']) {
      const response = await outside.request(`${EDGE}${path}`, { headers: { Authorization } });
      assert.equal(response.status, 401, path);
      assert.equal(await response.text(), '', path);
      assert.equal(response.headers.get('X-Upstream'), null, path);
    }
  }
});

await check('API key: one that the policy does not know is the upstream\'s business', async () => {
  const unknown = await fromUpstream(await outside.request(`${EDGE}/api/user`, { headers: { Authorization: 'nobody-has-this-key' } }), 401);
  assert.equal(await unknown.text(), '');
  await fromUpstream(await outside.request(`${EDGE}/api/user`, { headers: { Authorization: peers.api_keys.upstream_only } }));
  await fromUpstream(await outside.request(`${EDGE}/api/user`), 401);
});

await check('API key: the decoy lets the upstream itself refuse', async () => {
  const key = peers.api_keys.office;
  const refused = await fromUpstream(await outside.request(`${DECOY}/api/user`, { headers: { Authorization: key } }), 401);
  const decoy = refused.headers.get('X-Seen-Authorization');
  assert.notEqual(decoy, key);
  const shape = (text) => text.replace(/[a-z]/g, 'a').replace(/[A-Z]/g, 'A').replace(/[0-9]/g, '0');
  assert.equal(decoy.length, key.length, 'of the same length');
  assert.equal(shape(decoy).replace(/[aA0]/g, 'x'), shape(key).replace(/[aA0]/g, 'x'), 'of the same shape');
  await fromUpstream(await office.request(`${DECOY}/api/user`, { headers: { Authorization: key } }));
});

await check('a path rule: 403 outside, the upstream for the office', async () => {
  const response = await outside.request(`${EDGE}/echo/closed/x`);
  assert.equal(response.status, 403);
  assert.equal(response.headers.get('X-Upstream'), null);
  await fromUpstream(await office.request(`${EDGE}/echo/closed/x`));
  await fromUpstream(await outside.request(`${EDGE}/echo/open/x`));
});

await check('what trusts localhost is closed to every client that is not local', async () => {
  for (const from of [office, outside]) {
    const response = await from.request(`${EDGE}/api/status`);
    assert.equal(response.status, 404);
    assert.equal(response.headers.get('X-Upstream'), null);
  }
  await fromUpstream(await place({ forwarded: '127.0.0.1' }).request(`${EDGE}/api/status`));
  await fromUpstream(await place({}).request(`${EDGE}/api/status`));
});

await check('the upstream gets one clean set of forwarding headers', async () => {
  const headers = { 'X-Real-IP': '192.0.2.1', 'X-Custom': 'kept' };
  const response = await fromUpstream(await place({ forwarded: '203.0.113.10, 192.0.2.7' }).request(`${EDGE}/echo/`, { headers }));
  const seen = (await response.json()).headers;
  assert.deepEqual(seen['x-forwarded-for'].split(/,\s*/), ['203.0.113.10', '127.0.0.1']);
  assert.equal(seen['x-real-ip'], '203.0.113.10');
  assert.equal(seen['x-forwarded-proto'], 'http');
  assert.equal(seen['x-forwarded-host'], new URL(EDGE).host);
  assert.equal(seen['x-forwarded-port'], new URL(EDGE).port);
  assert.equal(seen['x-custom'], 'kept');
});

await check('an address that cannot be read is blocked, never taken for the peer', async () => {
  for (const forwarded of ['unknown', '010.0.0.1', '203.0.113', '0xcb007109', 'fe80::1%eth0', '"203.0.113.10"']) {
    const from = place({ forwarded });
    await refusedPage(await from.request(authorizeOf(EDGE, { client_id: backoffice.client_id })), /json/);
    await refusedPage(await from.request(authorizeOf(EDGE, { client_id: storefront.client_id })), /json/);
  }
});

await check('an IPv4-mapped address and one with a port are the address', async () => {
  for (const forwarded of ['::ffff:203.0.113.10', '203.0.113.10:4711', '[2001:db8:1::5]:4711', '2001:db8:1::5']) {
    await fromUpstream(await place({ forwarded }).request(`${EDGE}/account/?client_id=${backoffice.client_id}`));
  }
  await refusedPage(await place({ forwarded: '2001:db8:2::5' }).request(`${EDGE}/account/?client_id=${backoffice.client_id}`), /json/);
});

await check('no way around by spelling the path otherwise', async () => {
  for (const path of ['/oauth2//authorize', '/OAuth2/authorize', '/%6fauth2/authorize', '/x/..%2foauth2/authorize', '/oauth2;a=b/authorize', '/oauth2%252fauthorize', '/admin/..;/oauth2/authorize', '/oauth2']) {
    await refusedPage(await outside.request(`${EDGE}${path}?client_id=${backoffice.client_id}`), /json/);
  }
});

await check('real source addresses: sign-in from the host that is allowed', async () => {
  await signOut(await signIn(PEER, secondHost, backoffice));
});

await check('real source addresses: the other host is blocked on every page of a login', async () => {
  const { url } = await authorization(await configure(PEER, thirdHost, backoffice));
  await refusedPage(await new Browser(thirdHost.request).open(url));
  await refusedPage(await new Browser(thirdHost.request).open(interactionOf(PEER)));
  await assert.rejects(grant(PEER, thirdHost, restricted));
});

await check('real source addresses: a header does not help', async () => {
  for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'CF-Connecting-IP', 'True-Client-IP']) {
    const headers = { [name]: name === 'Forwarded' ? 'for=127.0.0.2' : '127.0.0.2' };
    await refusedPage(await thirdHost.request(interactionOf(PEER), { headers }), /json/);
  }
  const headers = { 'X-Forwarded-For': '198.51.100.1', 'X-Real-IP': '198.51.100.1', 'True-Client-IP': '198.51.100.1', Forwarded: 'for=198.51.100.1' };
  const seen = (await (await fromUpstream(await secondHost.request(`${PEER}/echo/`, { headers }))).json()).headers;
  assert.ok(!JSON.stringify(seen).includes('198.51.100.1'), JSON.stringify(seen));
  assert.equal(seen['x-forwarded-for'], '127.0.0.2');
});

summary();
