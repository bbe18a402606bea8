import { createServer, type Server } from 'node:http';
import type { Uaa } from './uaa.js';
import type { LogLine, World } from './world.js';

/** The log cache: what an app wrote, by time. */
export function createLogCache(world: World, uaa: Uaa): Server {
  return createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://logs');
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname === '/api/v1/info') {
      send(200, { version: '3.0.11', vm_uptime: '1000' });
      return;
    }
    const user = uaa.holder((request.headers.authorization ?? '').replace(/^bearer /i, ''));
    const source = /^\/api\/v1\/read\/(.+)$/.exec(pathname)?.[1] ?? '';
    const app = world.apps.find((one) => one.guid === source);
    // Who may not see an app is told that there is none.
    if (!user || !app || !world.sees(user, app.space)) send(404, { error: 'app not found' });
    else send(200, { envelopes: { batch: batchOf(world.logs.get(source) ?? [], source, searchParams) } });
  });
}

function batchOf(lines: readonly LogLine[], source: string, query: URLSearchParams) {
  const start = BigInt(query.get('start_time') ?? '0');
  const end = query.get('end_time');
  const inTime = lines.filter(({ timestamp }) => timestamp >= start && (end === null || timestamp < BigInt(end)));
  const ordered = query.get('descending') === 'true' ? inTime.reverse() : inTime;
  return ordered
    .slice(0, Number(query.get('limit') ?? '100'))
    .map(({ timestamp, source: from, text, type, instance }) => ({
      timestamp: String(timestamp),
      source_id: source,
      instance_id: instance,
      deprecated_tags: {},
      tags: { source_type: from, process_type: 'web', app_id: source },
      log: { payload: Buffer.from(text).toString('base64'), type },
    }));
}
