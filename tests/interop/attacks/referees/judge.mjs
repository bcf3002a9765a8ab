// What the referees on Node have in common.
const NAMES = ['client_id', 'tenantId', 'audience', 'resource', 'scope', 'grant_type'];

const flat = (value) =>
  value === null || value === undefined ? [] : typeof value === 'object' ? Object.values(value).flatMap(flat) : [String(value)];

// An object in JSON is nobody's client; in a form it is how `qs` reads brackets.
const isObject = (value) => value && typeof value === 'object' && !Array.isArray(value);

const named = (parsed, place) => {
  const found = {};
  if (parsed && typeof parsed === 'object') for (const name of NAMES) if (parsed[name] !== undefined && !(place === 'json' && isObject(parsed[name]))) found[name] = flat(parsed[name]);
  return found;
};

const basicUser = (value) => {
  const match = /^basic +(.*)$/i.exec(value ?? '');
  return match ? [Buffer.from(match[1], 'base64').toString().split(':')[0]] : [];
};

// Everything that the request's fields say, by name; the driver knows which of them upstreams believe.
export const verdict = (referee, resource, request, places) => {
  const read = Object.fromEntries(Object.entries(places).map(([place, parsed]) => [place, named(parsed, place)]));
  read.basic = { client_id: basicUser(request.headers.authorization) };
  const heard = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  delete heard.authorization;
  return JSON.stringify({ referee, resource, places: read, heard });
};
