// FusionAuth's TypeScript client drives every operation of the management API. `ADMIN` is its URL.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { check, summary } from '../checks.mjs';
import fusionauth from '@fusionauth/typescript-client';

const client = new fusionauth.FusionAuthClient('the-admin-key', process.env.ADMIN);
const OFFICE = 'fba75c7b-8c27-4cdd-840e-694d808d0aab';
const entries = [
  { action: 'Block', startIPAddress: '*' },
  { action: 'Allow', startIPAddress: '71.205.92.217', endIPAddress: '76.104.251.50' },
];
const star = entries.slice(0, 1);

/** The status and errors that a promise is refused with. */
async function refusal(promise) {
  try {
    await promise;
  } catch (response) {
    const errors = response.exception;
    const items = errors ? [...Object.values(errors.fieldErrors).flat(), ...errors.generalErrors] : [];
    return { status: response.statusCode, codes: items.map((item) => item.code).sort() };
  }
  throw new assert.AssertionError({ message: 'expected a refusal' });
}

await check('IP ACLs from creation to deletion', async () => {
  const { response, statusCode } = await client.createIPAccessControlList(undefined, { ipAccessControlList: { name: 'Block all except one range', entries } });
  const made = response.ipAccessControlList;
  assert.equal(statusCode, 200);
  assert.deepEqual(made.entries, entries);
  assert.deepEqual((await client.retrieveIPAccessControlList(made.id)).response.ipAccessControlList, made);
  const updated = await client.updateIPAccessControlList(made.id, { ipAccessControlList: { ...made, name: 'renamed', entries: star } });
  assert.deepEqual(updated.response.ipAccessControlList.entries, star);
  const patched = await client.patchIPAccessControlList(made.id, { ipAccessControlList: { entries: [entries[1]] } });
  assert.deepEqual(patched.response.ipAccessControlList.entries, entries);
  assert.equal(patched.response.ipAccessControlList.insertInstant, made.insertInstant);
  const gone = await client.deleteIPAccessControlList(made.id);
  assert.equal(gone.statusCode, 200);
  assert.equal(gone.response, undefined);
  assert.deepEqual(await refusal(client.retrieveIPAccessControlList(made.id)), { status: 404, codes: [] });
});

await check('an id of our own, and what is wrong', async () => {
  const id = randomUUID();
  const list = { ipAccessControlList: { name: 'mine', entries } };
  assert.equal((await client.createIPAccessControlList(id, list)).response.ipAccessControlList.id, id);
  assert.deepEqual(await refusal(client.createIPAccessControlList(undefined, list)), { status: 400, codes: ['[duplicate]ipAccessControlList.name'] });
  const twice = { ipAccessControlList: { name: 'x', entries: [...star, ...star] } };
  assert.deepEqual(await refusal(client.createIPAccessControlList(undefined, twice)), { status: 400, codes: ['[duplicate]ipAccessControlList.entries[1].startIPAddress'] });
  assert.deepEqual(await refusal(client.updateIPAccessControlList('no-id', list)), { status: 400, codes: ['[invalid]ipAccessControlListId'] });
  assert.equal((await client.deleteIPAccessControlList(id)).statusCode, 200);
});

await check('searches, with what is undefined standing for nothing', async () => {
  const all = await client.searchIPAccessControlListsByParameters(undefined, undefined, undefined, undefined);
  assert.equal(all.response.total, 1);
  assert.equal(all.response.ipAccessControlLists[0].id, OFFICE);
  const none = await client.searchIPAccessControlListsByParameters('*nothing', 5, 'name DESC', 0);
  assert.deepEqual(none.response, { ipAccessControlLists: [], total: 0 });
  const found = await client.searchIPAccessControlLists({ search: { name: 'OFFICE', orderBy: 'lastUpdateInstant DESC', numberOfResults: 1 } });
  assert.equal(found.response.ipAccessControlLists[0].name, 'office-only');
});

await check('API keys', async () => {
  const made = (await client.createAPIKey(undefined, { apiKey: { name: 'ci', ipAccessControlListId: OFFICE } })).response.apiKey;
  assert.match(made.key, /^[\w-]{64}$/);
  assert.equal((await client.retrieveAPIKey(made.id)).response.apiKey.key, undefined);
  assert.equal((await client.patchAPIKey(made.id, { apiKey: { name: 'cd' } })).response.apiKey.ipAccessControlListId, OFFICE);
  assert.equal((await client.updateAPIKey(made.id, { apiKey: { name: 'ci' } })).response.apiKey.ipAccessControlListId, undefined);
  assert.equal((await client.deleteAPIKey(made.id)).statusCode, 200);
  assert.equal((await refusal(client.retrieveAPIKey(made.id))).status, 404);
});

await check('tenants and applications', async () => {
  const accessControlConfiguration = { uiIPAccessControlListId: OFFICE };
  const tenant = (await client.createTenant(undefined, { tenant: { name: 't', accessControlConfiguration } })).response.tenant;
  assert.deepEqual((await client.retrieveTenant(tenant.id)).response.tenant, tenant);
  assert.deepEqual((await client.searchTenants({ search: { name: 't' } })).response.tenants, [tenant]);
  assert.equal((await client.retrieveTenants()).response.tenants.length, 2);
  assert.deepEqual((await client.updateTenant(tenant.id, { tenant: { name: 'u' } })).response.tenant.accessControlConfiguration, {});
  assert.deepEqual((await client.patchTenant(tenant.id, { tenant: { accessControlConfiguration } })).response.tenant, { ...tenant, name: 'u' });
  const application = { name: 'a', tenantId: tenant.id, accessControlConfiguration };
  const made = (await client.createApplication(undefined, { application })).response.application;
  assert.deepEqual(made, { id: made.id, ...application });
  assert.deepEqual((await client.retrieveApplication(made.id)).response.application, made);
  assert.equal((await client.retrieveApplications()).response.applications.length, 1);
  assert.equal((await client.updateApplication(made.id, { application: { name: 'b' } })).response.application.tenantId, undefined);
  assert.equal((await client.patchApplication(made.id, { application: { name: 'c' } })).response.application.name, 'c');
  assert.equal((await client.deleteApplication(made.id)).statusCode, 200);
  assert.equal((await client.deleteTenant(tenant.id)).statusCode, 200);
});

await check('strangers and readers', async () => {
  const stranger = new fusionauth.FusionAuthClient('wrong', process.env.ADMIN);
  assert.deepEqual(await refusal(stranger.retrieveIPAccessControlList(OFFICE)), { status: 401, codes: [] });
  const reader = new fusionauth.FusionAuthClient('the-reader-key', process.env.ADMIN);
  assert.equal((await reader.retrieveIPAccessControlList(OFFICE)).statusCode, 200);
  assert.deepEqual(await refusal(reader.deleteIPAccessControlList(OFFICE)), { status: 403, codes: ['[forbidden]'] });
});

summary();
