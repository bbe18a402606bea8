import { connect, createServer, type Server, type Socket } from 'node:net';
import { lastingPort } from './ports.js';

/**
 * Stands in front of a fake platform at an address that stays. When it is down, every connection is cut and new ones are refused, as when
 * the platform's process is killed; the state behind it is kept, as a real platform's database keeps it.
 */
export interface Front {
  url: string;
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

export async function openFront(target: string): Promise<Front> {
  const { hostname, port: behind } = new URL(target);
  const sockets = new Set<Socket>();
  const port = await lastingPort();
  let server: Server | undefined;

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const up = async () => {
    if (server) return;
    const opened = createServer((client) => {
      const inner = keep(connect(Number(behind), hostname));
      keep(client);
      client.pipe(inner).pipe(client);
      client.on('close', () => inner.destroy());
      inner.on('close', () => client.destroy());
    });
    await new Promise<void>((resolve, reject) => opened.once('error', reject).listen(port, '127.0.0.1', resolve));
    server = opened;
  };
  const down = async () => {
    const closing = server;
    server = undefined;
    if (!closing) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  await up();
  return { url: `http://127.0.0.1:${port}`, up, down, close: down };
}
