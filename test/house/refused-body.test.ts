import { once } from 'node:events';
import { connect } from 'node:net';
import { ADMIN, startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const LENGTH = 20 * 1024 ** 2;

test.each(['close', 'keep-alive'])(
  'a client that sends on after it was refused reads the answer and is not cut (Connection: %s)',
  async (connection) => {
    const { host, hostname, port, pathname } = new URL(`${gateway.base}/app`);
    const socket = connect(Number(port), hostname);
    let answer = '';
    let failure: Error | undefined;
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1');
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.write(
      `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Basic ${btoa(ADMIN)}\r\nConnection: ${connection}\r\n` +
        `Content-Type: application/xml\r\nContent-Length: ${LENGTH}\r\n\r\n`,
    );
    while (!/\r\n\r\n.*PayloadTooLarge.*>\s*$/s.test(answer)) await once(socket, 'data');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    const piece = Buffer.alloc(1024 ** 2, 'a');
    for (let sent = 0; sent < LENGTH; sent += piece.length) {
      await new Promise((resolve) => socket.write(piece, resolve));
    }
    expect(failure).toBeUndefined();
    if (connection === 'close') await once(socket, 'end');
    else {
      socket.write(`HEAD ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      await once(socket, 'end');
      expect(answer).toMatch(/HTTP\/1\.1 401 /);
    }
    expect(failure).toBeUndefined();
    socket.destroy();
  },
);
