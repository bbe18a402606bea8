import { join } from 'node:path';
import { application, authorization, makeTemplate, makeUser, startGateway } from '../gateway.mjs';
import { inTurn, load, median, ratios } from '../load.mjs';
import { copyApplications } from '../seed.mjs';
import { smallSite } from '../site.mjs';

export const title = 'Growth: nothing kept, 8 connections, a user with 100 applications among those of others';

/** (f) The same requests to gateways with more and more applications. */
export async function measure({ folder, quick, say }) {
  const sizes = quick ? [1000, 10_000] : [1000, 10_000, 100_000];
  say(`filling stores with ${sizes.join(', ')} applications`);
  const gateways = new Map();
  let user = '';
  for (const size of sizes) {
    const data = join(folder, `growth-${size}`);
    const first = await startGateway(data);
    await makeTemplate(first, await smallSite());
    user = await makeUser(first, 'user', 'tenant');
    await first.stop();
    // Those of the user lie in the middle of the others.
    copyApplications(first.database, size / 2 - 1, { tenant: 'others' });
    copyApplications(first.database, 100, { tenant: 'tenant' });
    copyApplications(first.database, size / 2 - 100, { tenant: 'others' });
    gateways.set(size, await startGateway(data, { cache: { size: 0 } }));
  }
  const rows = [];
  for (const [name, requestsOf] of Object.entries(CASES)) {
    say(name);
    const things = {};
    for (const [size, gateway] of gateways) {
      const requests = requestsOf(size).map(({ headers, path, ...request }) => ({
        ...{ ...request, path: gateway.base + path },
        headers: { authorization: authorization(user), accept: 'application/xml', ...headers },
      }));
      things[size] = () => load({ url: gateway.url, requests, connections: 8, seconds: quick ? 1 : 2 });
    }
    await inTurn(1, things);
    const found = await inTurn(quick ? 1 : 3, things);
    const rates = (size) => found[size].map(({ perSecond }) => perSecond);
    for (const size of sizes.slice(1)) {
      const each = ratios(rates(size), rates(sizes[0]));
      rows.push({
        ...{ name: `${name}, ${size} applications`, unit: '/s', against: `${sizes[0]} applications` },
        ...{ ours: median(rates(size)), theirs: median(rates(sizes[0])), ratio: median(each), ratios: each },
      });
    }
  }
  for (const gateway of gateways.values()) await gateway.stop();
  return rows;
}

/** Numbers of the user's applications in a store of that size. */
const own = (size, index) => size / 2 + 1 + (index % 99);
const hundred = (request) => Array.from({ length: 100 }, (_, index) => request(index));

const CASES = {
  create: () =>
    hundred((index) => ({
      ...{ method: 'POST', path: '/app', headers: { 'content-type': 'application/xml' } },
      body: application(`New ${index}`),
    })),
  describe: (size) => hundred((index) => ({ method: 'GET', path: `/app/${own(size, index)}` })),
  'find by name': (size) =>
    hundred((index) => ({ method: 'GET', path: `/app?name=Application%20${own(size, index)}` })),
  'first page of 10': () => [{ method: 'GET', path: '/app?pageSize=10' }],
};
