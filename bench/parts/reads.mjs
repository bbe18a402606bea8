import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { application, authorization, makeTemplate, makeUser, startGateway } from '../gateway.mjs';
import { inTurn, load, median, ratios } from '../load.mjs';
import { startServer } from '../processes.mjs';
import { copyApplications } from '../seed.mjs';
import { smallSite } from '../site.mjs';

export const title =
  'Reading: 32 connections, authenticated, against servers that answer the same bytes without authentication';

/** (a) Describe, lists, HEAD; nothing changes, a tenth of the requests changes, nothing is kept. */
export async function measure({ folder, quick, say }) {
  const data = join(folder, 'reads');
  const sizes = quick ? [10, 1000] : [10, 1000, 10_000];
  const users = await fill(data, sizes);
  const keeping = await startGateway(data);
  const rows = [];
  const timing = { seconds: quick ? 1 : 2, rounds: quick ? 2 : 5 };
  const cases = [
    ['describe', 'GET', '/app/2', users[10], 0.7],
    ...sizes.map((size) => [`list of ${size}`, 'GET', '/app', users[size]]),
    ['HEAD', 'HEAD', '/app/2', users[10]],
  ];
  for (const [name, method, path, user, aim] of cases) {
    say(name);
    rows.push(...(await compare({ folder, gateway: keeping, name, method, path, user, aim, ...timing })));
  }
  say('describe, every tenth request a change');
  rows.push(...(await mixed({ folder, gateway: keeping, user: users[1000], ...timing })));
  await keeping.stop();
  const making = await startGateway(data, { cache: { size: 0 } });
  say('describe, made each time');
  const fresh = { gateway: making, name: 'describe, nothing kept', method: 'GET', path: '/app/2', user: users[10] };
  rows.push(...(await compare({ folder, ...fresh, ...timing })));
  const size = sizes.at(-1);
  say(`list of ${size}, made each time`);
  rows.push(await longList({ gateway: making, size, user: users[size], times: quick ? 5 : 20 }));
  await making.stop();
  return rows;
}

/** A tenant for each size of list. */
async function fill(data, sizes) {
  const gateway = await startGateway(data);
  const users = {};
  await makeTemplate(gateway, await smallSite());
  for (const size of sizes) users[size] = await makeUser(gateway, `user${size}`, `tenant${size}`);
  await gateway.stop();
  for (const size of sizes) copyApplications(gateway.database, size, { tenant: `tenant${size}` });
  return users;
}

async function compare({ folder, gateway, name, method, path, user, aim, seconds, rounds }) {
  const headers = { authorization: authorization(user), accept: 'application/xml' };
  const sample = await fetch(gateway.url + path, { method, headers });
  const file = join(folder, 'answer');
  const body = Buffer.from(await sample.arrayBuffer());
  writeFileSync(file, body);
  const bare = await startServer('http', file);
  const express = await startServer('express', file);
  const request = { method, path: gateway.base + path, headers };
  const against = (port) => () => load({ url: `http://127.0.0.1:${port}`, requests: [request], seconds });
  const things = { ours: against(gateway.port), bare: against(bare.port), express: against(express.port) };
  // Compiled code and full caches for all three, before it counts.
  await inTurn(1, things);
  const found = await inTurn(rounds, things);
  await Promise.all([bare.stop(), express.stop()]);
  const bytes = `${body.length} B`;
  const row = (against_, theirs, goal) =>
    rateRow({ name: `${name} (${bytes})`, against: against_, found, theirs, aim: goal });
  return [row('node:http', 'bare', aim), row('Express', 'express')];
}

/** 50 applications; each is read nine times for each time that one is changed. */
async function mixed({ folder, gateway, user, seconds, rounds }) {
  const headers = { authorization: authorization(user), accept: 'application/xml' };
  const first = 20;
  // Every application is both read and changed.
  const place = (index) => `/app/${first + ((index * 7 + Math.floor(index / 10)) % 50)}`;
  const requests = Array.from({ length: 1000 }, (_, index) =>
    index % 10 === 9
      ? {
          ...{ method: 'PUT', path: gateway.base + place(index) },
          headers: { ...headers, 'content-type': 'application/xml' },
          body: application(`Application ${index}`, `Changed by request ${index}`),
        }
      : { method: 'GET', path: gateway.base + place(index), headers },
  );
  const file = join(folder, 'answer');
  writeFileSync(file, await gateway.send('GET', place(0), undefined, { user }));
  const express = await startServer('express', file);
  const against = (port) => () => load({ url: `http://127.0.0.1:${port}`, requests, seconds });
  const things = { ours: against(gateway.port), express: against(express.port) };
  await inTurn(1, things);
  const found = await inTurn(rounds, things);
  await express.stop();
  return [rateRow({ name: 'describe, every tenth a change', against: 'Express', found, theirs: 'express', aim: 0.5 })];
}

function rateRow({ name, against, found, theirs, aim }) {
  const rates = (thing) => found[thing].map(({ perSecond }) => perSecond);
  const each = ratios(rates('ours'), rates(theirs));
  return {
    ...{ name, unit: '/s', against },
    ...{ ours: median(rates('ours')), theirs: median(rates(theirs)), ratio: median(each), ratios: each },
    ...(aim !== undefined && { aim: { of: 'ratio', atLeast: aim } }),
    note: `p99 ${median(found.ours.map(({ p99 }) => p99)).toFixed(1)} ms`,
  };
}

/** One after the other: how long one takes, and whether memory grows with their number. */
async function longList({ gateway, size, user, times }) {
  const ask = async () => {
    const started = performance.now();
    const text = await gateway.send('GET', '/app', undefined, { user });
    return { milliseconds: performance.now() - started, bytes: text.length };
  };
  const small = async () => {
    const started = performance.now();
    await gateway.send('GET', '/app/2', undefined, { user: user.replace(/\d+/, '10') });
    return performance.now() - started;
  };
  for (let warm = 0; warm < 5; warm++) await ask();
  const before = gateway.memory();
  let most = before;
  const found = await inTurn(times, {
    async list() {
      const one = await ask();
      most = Math.max(most, gateway.memory());
      return one;
    },
    describe: small,
  });
  const list = found.list.map(({ milliseconds }) => milliseconds);
  const each = ratios(list, found.describe);
  return {
    ...{ name: `list of ${size}, nothing kept`, unit: 'ms', against: 'its own describe' },
    ...{ ours: median(list), theirs: median(found.describe), ratio: median(each), ratios: each, lessIsBetter: true },
    ...(size === 10_000 && { aim: { of: 'ours', atMost: 100 } }),
    note: `${found.list[0].bytes} B; memory ${before.toFixed(0)} MiB, then at most ${(most - before).toFixed(0)} MiB more`,
  };
}
