import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What runs in a container. */
export interface Running {
  /** Address on this machine for a port of the container; undefined while nobody listens. */
  address(port: number): number | undefined;
  /** Ends it: a signal, then the end by force. */
  stop(graceMilliseconds: number): void;
}

export interface Start {
  files: Map<string, Buffer>;
  /** Replaces what the image would run. */
  command?: readonly string[];
  environment: Record<string, string>;
  /** As the container of a database. */
  port?: number;
  write(line: string): void;
  exited(how: { exitCode: number; reason: string }): void;
}

/** Every pod has a network of its own: whatever port the process asks for, it gets a free one, and says which. */
const NETWORK = `
const { Server } = require('node:net');
const listen = Server.prototype.listen;
Server.prototype.listen = function (...given) {
  const first = given[0];
  const wanted = typeof first === 'object' && first !== null ? first.port : first;
  if (wanted === undefined || !/^\\d+$/.test(String(wanted))) return listen.apply(this, given);
  const done = given.find((one) => typeof one === 'function');
  if (done) this.once('listening', done);
  this.once('listening', () => process.send && process.send({ port: Number(wanted), at: this.address().port }));
  return listen.call(this, 0, '127.0.0.1');
};
process.channel && process.channel.unref();
`;

export interface Processes {
  start(start: Start): Running;
  close(): void;
}

export function createProcesses(): Processes {
  const folder = mkdtempSync(join(tmpdir(), 'openshift-'));
  const network = join(folder, 'network.cjs');
  writeFileSync(network, NETWORK);
  const running = new Set<Running>();
  let number = 0;

  return {
    start(start) {
      const keep = (one: Running): Running => {
        running.add(one);
        return one;
      };
      const isNode = ['package.json', 'server.js', 'app.js'].some((name) => start.files.has(name));
      if (start.command === undefined && start.port !== undefined) return keep(listener(start));
      if (start.command === undefined && !isNode) return keep(pages(start));
      number += 1;
      const place = join(folder, String(number));
      for (const [name, bytes] of start.files) {
        const file = join(place, name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, bytes);
      }
      mkdirSync(place, { recursive: true });
      return keep(child(start, place, network));
    },
    close() {
      for (const one of running) one.stop(0);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function child(start: Start, place: string, network: string): Running {
  const ports = new Map<number, number>();
  const [program = '', ...args] = start.command ?? [process.execPath, mainOf(start.files)];
  const environment = {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    NODE_OPTIONS: `--require ${network}`,
    ...start.environment,
  };
  const made: ChildProcess = spawn(program, args, {
    cwd: place,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A shell and what it starts end together.
    detached: true,
  });
  const onText = (stream: NodeJS.ReadableStream | null) => {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) start.write(line);
    });
    stream?.on('end', () => rest !== '' && start.write(rest));
  };
  onText(made.stdout as NodeJS.ReadableStream | null);
  onText(made.stderr as NodeJS.ReadableStream | null);
  made.on('message', (message: { port: number; at: number }) => ports.set(message.port, message.at));
  const kill = (signal: NodeJS.Signals) => {
    try {
      if (made.pid !== undefined && !hasEnded) process.kill(-made.pid, signal);
    } catch {
      // It ended by itself.
    }
  };
  let hasEnded = false;
  const end = (exitCode: number, reason: string) => {
    if (hasEnded) return;
    hasEnded = true;
    start.exited({ exitCode, reason });
  };
  made.on('error', () => end(127, 'StartError'));
  made.on('close', (code, signal) => {
    const exitCode = code ?? (signal === 'SIGKILL' ? 137 : 143);
    end(exitCode, exitCode === 0 ? 'Completed' : 'Error');
  });
  return {
    address: (port) => ports.get(port),
    stop(grace) {
      kill(grace > 0 ? 'SIGTERM' : 'SIGKILL');
      if (grace > 0) setTimeout(() => kill('SIGKILL'), grace).unref();
    },
  };
}

function mainOf(files: Map<string, Buffer>): string {
  const description = files.get('package.json');
  const main = description && (JSON.parse(description.toString('utf8')) as { main?: string }).main;
  return main ?? (files.has('server.js') ? 'server.js' : 'app.js');
}

/** A web server that shows its pages, or a server of archives, which answers with their names. */
function pages(start: Start): Running {
  const server = createHttpServer((request, response) => {
    const page = start.files.get((request.url ?? '/').slice(1)) ?? start.files.get('index.html');
    response.end(page ?? `${[...start.files.keys()].join(', ')}\n`);
    start.write(`${request.method} ${request.url}`);
  });
  start.write('started');
  return serverOf(server, start);
}

function listener(start: Start): Running {
  return serverOf(
    createTcpServer((socket) => socket.end()),
    start,
  );
}

function serverOf(server: Server, { port = 8080, exited, write }: Start): Running {
  let at: number | undefined;
  server.listen(0, '127.0.0.1', () => {
    at = (server.address() as { port: number }).port;
  });
  return {
    address: (wanted) => (wanted === port ? at : undefined),
    stop() {
      at = undefined;
      write('stopped');
      server.close(() => exited({ exitCode: 0, reason: 'Completed' }));
      (server as Server & { closeIdleConnections?(): void }).closeIdleConnections?.();
    },
  };
}
