import { connect } from 'node:net';

/**
 * Sends one request again and again over some keep-alive connections, each waiting for its answer, and measures. Raw sockets: the load
 * shares the machine with what it measures, so it has to cost little.
 */
export async function load({ port, request, connections = 8, seconds = 4 }) {
  const latencies = [];
  const counts = { errors: 0, bytes: 0 };
  const until = performance.now() + seconds * 1000;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: connections }, () => converse(port, Buffer.from(request), until, latencies, counts)),
  );
  const elapsed = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (part) => latencies[Math.floor(latencies.length * part)] ?? Number.NaN;
  return { perSecond: latencies.length / elapsed, p50: at(0.5), p99: at(0.99), ...counts };
}

function converse(port, request, until, latencies, counts) {
  const isHead = request.subarray(0, 5).toString() === 'HEAD ';
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let sentAt = 0;
    let received = Buffer.alloc(0);
    const send = () => {
      if (performance.now() >= until) {
        socket.destroy();
        resolve();
        return;
      }
      received = Buffer.alloc(0);
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', resolve);
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      counts.bytes += chunk.length;
      if (!isWhole(received, isHead)) return;
      latencies.push(performance.now() - sentAt);
      if (received.toString('latin1', 9, 12) !== '200') counts.errors += 1;
      send();
    });
  });
}

function isWhole(received, isHead) {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return false;
  if (isHead) return true;
  const head = received.toString('latin1', 0, end).toLowerCase();
  const length = /content-length: (\d+)/.exec(head)?.[1];
  if (length !== undefined) return received.length >= end + 4 + Number(length);
  return received.subarray(-5).toString('latin1') === '0\r\n\r\n';
}
