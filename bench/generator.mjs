/**
 * Load, in a process of its own, as its standard input says; prints what came of it as JSON. Raw sockets: the load shares the machine with what
 * it measures, so it has to cost little, and a generator that is slower than a bare server would flatter everything beside that. Each
 * connection sends a request when it has its answer; with `rate`, at fixed times, from which the wait is counted then.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

const { url, requests, connections, seconds, rate } = JSON.parse(await text(process.stdin));
const { hostname, port, host } = new URL(url);
const bytes = requests.map(({ method, path, headers, body = '' }) => {
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== '') lines.push(`content-length: ${Buffer.byteLength(body)}`);
  return { isHead: method === 'HEAD', text: Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`) };
});
const waits = [];
const statuses = {};
let errors = 0;
const started = performance.now();
const until = started + seconds * 1000;
const everybody = Array.from({ length: connections }, (_, index) => converse(index));
await Promise.all(everybody);
const elapsed = (performance.now() - started) / 1000;
waits.sort((a, b) => a - b);
const at = (part) =>
  Number((waits[Math.min(waits.length - 1, Math.floor(waits.length * part))] ?? Number.NaN).toFixed(2));
process.stdout.write(
  JSON.stringify({
    statuses,
    errors,
    count: waits.length,
    perSecond: waits.length / elapsed,
    p50: at(0.5),
    p99: at(0.99),
  }),
);

function converse(index) {
  const interval = rate === undefined ? 0 : (connections / rate) * 1000;
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port, noDelay: true });
    let next = Math.floor((index / connections) * bytes.length);
    let due = started + (index / connections) * interval;
    let request = bytes[next];
    let reading = reader();
    const send = () => {
      const now = performance.now();
      if (now >= until) return socket.destroy();
      if (interval > 0 && now < due) return setTimeout(send, due - now);
      if (interval === 0) due = now;
      request = bytes[next++ % bytes.length];
      reading = reader(request.isHead);
      socket.write(request.text);
    };
    socket.on('connect', send);
    socket.on('error', () => {
      errors += 1;
    });
    socket.on('close', () => resolve());
    socket.on('data', (chunk) => {
      const status = reading(chunk);
      if (status === undefined) return;
      waits.push(performance.now() - due);
      statuses[status] = (statuses[status] ?? 0) + 1;
      due += interval;
      send();
    });
  });
}

const END_OF_CHUNKS = '\r\n0\r\n\r\n';

/** Takes an answer piece by piece, and gives its status when it is whole. */
function reader(isHead) {
  let head = '';
  let status;
  let left;
  let tail = '';
  return (chunk) => {
    let rest = chunk;
    if (status === undefined) {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return undefined;
      rest = Buffer.from(head.slice(end + 4), 'latin1');
      status = head.slice(9, 12);
      const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end))?.[1];
      const chunked = /\r\ntransfer-encoding: *chunked/i.test(head.slice(0, end));
      left =
        isHead || status === '304' || status === '204'
          ? 0
          : length !== undefined
            ? Number(length)
            : chunked
              ? undefined
              : 0;
    }
    if (left !== undefined) {
      left -= rest.length;
      return left <= 0 ? status : undefined;
    }
    tail = (tail + rest.subarray(-END_OF_CHUNKS.length).toString('latin1')).slice(-END_OF_CHUNKS.length);
    return tail === END_OF_CHUNKS ? status : undefined;
  };
}
