// A browser in miniature: a cookie jar, forms, redirects that it follows itself, and a place in the world: an
// address that a trusted proxy vouches for, or a real source address.
import { Agent, fetch } from 'undici';

/** Where requests come from: `{ forwarded: '203.0.113.10' }` or `{ source: '127.0.0.2' }`. */
export function place({ forwarded, source }) {
  const dispatcher = new Agent(source ? { localAddress: source } : {});
  const request = (url, options = {}) => {
    const headers = new Headers(options.headers);
    if (forwarded) headers.set('X-Forwarded-For', forwarded);
    return fetch(url, { ...options, headers: Object.fromEntries(headers), redirect: 'manual', dispatcher });
  };
  return { request, close: () => dispatcher.close() };
}

export class Browser {
  #jar = new Map();
  #request;

  constructor(request) {
    this.#request = request;
  }

  async open(url, options = {}) {
    const { pathname } = new URL(url);
    const cookies = [...this.#jar.values()].filter((cookie) => pathname.startsWith(cookie.path));
    const response = await this.#request(url, {
      ...options,
      headers: {
        Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        ...(cookies.length && { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }),
        ...options.headers,
      },
    });
    response.headers.getSetCookie().forEach((line) => this.#keep(line));
    return response;
  }

  /** Follows redirects and answers forms until a redirect leaves for `destination`, or a page is neither. */
  async travel(url, destination, answers) {
    let response = await this.open(url);
    for (let hops = 0; hops < 20; hops += 1) {
      const location = response.headers.get('Location');
      if (location?.startsWith(destination)) return { arrived: new URL(location) };
      if (location) {
        url = new URL(location, url);
        response = await this.open(url);
        continue;
      }
      const html = await response.text();
      const form = html.match(/<form[^>]*>/i);
      if (response.status !== 200 || !form) return { stopped: response, html };
      url = new URL(form[0].match(/action="([^"]*)"/i)?.[1] ?? url, url);
      response = await this.open(url, { method: 'POST', body: new URLSearchParams({ ...hidden(html), ...answers }).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    }
    throw new Error(`more than twenty hops, last at ${url}`);
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(';').map((part) => part.trim());
    const at = pair.indexOf('=');
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    const attribute = (key) => attributes.find((each) => each.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const path = attribute('path') ?? '/';
    const expires = attribute('expires');
    if (value === '' || (expires && new Date(expires) < new Date())) this.#jar.delete(`${name} ${path}`);
    else this.#jar.set(`${name} ${path}`, { name, value, path });
  }
}

const hidden = (html) => Object.fromEntries(
  [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
);
