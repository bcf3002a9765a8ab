// WebSocket tunnels through the gateway: they carry, and a policy that would block them closes them.
//
//     GATEWAY=ws://… POLICY=FILE ALLOWING=TEXT BLOCKING=TEXT node websocket.mjs
//
// The gateway starts with ALLOWING; under BLOCKING `/ws/` is closed to the address outside.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { WebSocket } from 'ws';
import { check, summary, within } from './checks.mjs';

const { GATEWAY, POLICY, ALLOWING, BLOCKING } = process.env;
const { addresses } = JSON.parse(readFileSync(new URL('./clients.json', import.meta.url), 'utf8'));
const IN_FORCE_SECONDS = 2;

const dial = (path, address) => new WebSocket(`${GATEWAY}${path}`, { headers: { 'X-Forwarded-For': address } });

async function open(path, address) {
  const socket = dial(path, address);
  await within(5, `a tunnel at ${path}`, once(socket, 'open'));
  return socket;
}

async function refused(path, address) {
  const socket = dial(path, address);
  socket.on('error', () => {});
  const [, response] = await within(5, `an answer at ${path}`, once(socket, 'unexpected-response'));
  response.resume();
  return response;
}

async function echo(socket, message) {
  const answer = once(socket, 'message');
  socket.send(message);
  const [data, binary] = await within(5, 'an echo', answer);
  assert.equal(binary, typeof message !== 'string');
  assert.ok(Buffer.from(message).equals(data), 'another message came back');
}

/** As an editor saves: written beside it and renamed over it. */
function save(text) {
  writeFileSync(`${POLICY}.new`, text);
  renameSync(`${POLICY}.new`, POLICY);
}

/** Asks until the answer is `status`; what a new connection gets tells which policy is in force. */
async function untilAnswered(path, address, status) {
  const deadline = Date.now() + 5000;
  while (Date.now() < deadline) {
    const socket = dial(path, address);
    socket.on('error', () => {});
    const answered = await Promise.race([
      once(socket, 'open').then(() => 101),
      once(socket, 'unexpected-response').then(([, response]) => response.resume().statusCode),
    ]);
    socket.terminate();
    if (answered === status) return;
  }
  throw new Error(`${path} did not answer ${status}`);
}

await check('text, binary and a megabyte come back as they were', async () => {
  for (const path of ['/ws/echo', '/oauth2/echo']) {
    const socket = await open(path, addresses.blocked);
    await echo(socket, 'grüß dich');
    await echo(socket, randomBytes(100));
    await echo(socket, randomBytes(1 << 20));
    socket.terminate();
  }
});

await check('a close passes with its code', async () => {
  const socket = await open('/ws/echo', addresses.allowed);
  socket.close(4001, 'enough');
  const [code] = await within(5, 'the close', once(socket, 'close'));
  assert.equal(code, 4001);
});

await check('a tunnel opens only after the upstream agrees', async () => {
  const response = await refused('/elsewhere', addresses.allowed);
  assert.equal(response.statusCode, 404);
  assert.equal(response.headers['x-upstream'], 'idp');
});

await check('an upgrade to anything else stays an ordinary request', async () => {
  const url = new URL('/echo/', GATEWAY.replace('ws:', 'http:'));
  const sent = request(url, { headers: { Connection: 'Upgrade', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA' } });
  sent.end();
  const [response] = await within(5, 'an answer', once(sent, 'response'));
  const seen = JSON.parse((await response.setEncoding('utf8').toArray()).join(''));
  assert.equal(seen.headers.upgrade, undefined);
});

await check('a policy that blocks the client closes its tunnel at once, and no other', async () => {
  const outside = await open('/ws/echo', addresses.blocked);
  const office = await open('/ws/echo', addresses.allowed);
  const elsewhere = await open('/oauth2/echo', addresses.blocked);
  await echo(outside, 'before');
  const closed = once(outside, 'close');
  outside.on('error', () => {});
  save(BLOCKING);
  await within(IN_FORCE_SECONDS, 'the close of the blocked tunnel', closed);
  await echo(office, 'still here');
  await echo(elsewhere, 'here too');
  office.terminate();
  elsewhere.terminate();
});

await check('a new tunnel is refused under the new policy, and open under the old one again', async () => {
  assert.equal((await refused('/ws/echo', addresses.blocked)).statusCode, 403);
  (await open('/ws/echo', addresses.allowed)).terminate();
  save(ALLOWING);
  await untilAnswered('/ws/echo', addresses.blocked, 101);
});

await check('a policy that is broken or changes nothing for it leaves a tunnel open', async () => {
  const socket = await open('/ws/echo', addresses.blocked);
  save('this is no policy');
  // The broken file has been read once a good one behind it is in force.
  save(ALLOWING.replace('prefix = "/echo/closed/"', 'prefix = "/ws/none/"'));
  await untilAnswered('/ws/none/x', addresses.blocked, 403);
  await echo(socket, 'still here');
  socket.terminate();
});

summary();
