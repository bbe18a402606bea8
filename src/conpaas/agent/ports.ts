import { randomInt } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Address } from './protocol.js';

/** Below the range from which systems take ports for outgoing connections. */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;

/**
 * A port that nobody on this machine listens on, at any address: many applications ignore the address that they are given. Another
 * process may still take it before the application does; see `listenersOn`.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if ((await canListen('::', port)) && (await canListen('0.0.0.0', port))) return port;
  }
  throw new Error(`No free port was found between ${FIRST_PORT} and ${LAST_PORT}.`);
}

/** True also where the address family is missing: then nobody can be in the way there. */
function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** To connect, and then to hear the other side out. */
const PATIENCE_MS = 1000;

/** Whether a connection can be made. It is ended in peace: what speaks first may not bear that nobody listens. */
export function accepts({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.resume().end();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
    // Where the queue of connections is full, nobody answers at all.
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy();
      resolve(false);
    });
  });
}

/** A listening socket of this machine. */
export interface Listener {
  /** IPv4 in dots, or the 32 hex digits of the kernel for IPv6. */
  host: string;
  port: number;
  uid: number;
  inode: string;
}

const LISTEN = '0A';

export async function allListeners(): Promise<Listener[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  return tables.flatMap((table) =>
    table
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTEN)
      .map((fields) => {
        const [host = '', port = ''] = (fields[1] ?? '').split(':');
        return {
          host: host.length === 8 ? dotted(host) : host,
          port: Number.parseInt(port, 16),
          uid: Number(fields[7]),
          inode: fields[9] ?? '',
        };
      }),
  );
}

function dotted(hex: string): string {
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.');
}

/**
 * Listening sockets of the given processes. Where their file descriptors may not be read (root without CAP_SYS_PTRACE in a container),
 * those of the same user count.
 */
export async function listenersOf(pids: readonly number[], uid: number | undefined): Promise<Listener[]> {
  const listeners = await allListeners();
  const inodes = new Set<string>();
  let hidden = false;
  const orNothing =
    <T>(nothing: T) =>
    (error: NodeJS.ErrnoException) => {
      hidden ||= error.code === 'EACCES';
      return nothing;
    };
  for (const pid of pids) {
    const folder = `/proc/${pid}/fd`;
    const names = await readdir(folder).catch(orNothing<string[]>([]));
    for (const target of await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(orNothing(''))))) {
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) inodes.add(inode);
    }
  }
  return listeners.filter((one) => inodes.has(one.inode) || (hidden && one.uid === uid));
}
