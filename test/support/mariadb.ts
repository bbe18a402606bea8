import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { mariadb } from '../../src/conpaas/agent/mariadb/installation.js';

export interface Login {
  host: string;
  port: number;
  user: string;
  password: string;
}

/** Why MariaDB cannot be tried on this machine, and how to get it; undefined: it is here. */
export async function mariadbIsMissing(): Promise<string | undefined> {
  const found = await mariadb.detect({ PATH: process.env['PATH'] ?? '' });
  return found.available ? undefined : found.install;
}

/** Carries a statement out over TCP, as an application does, and gives the lines of its result. Rejects with the server's words. */
export function query({ host, port, user, password }: Login, statement: string): Promise<string[]> {
  const args = ['--no-defaults', '--protocol=tcp', `--host=${host}`, `--port=${port}`, `--user=${user}`];
  return new Promise((resolve, reject) => {
    execFile(
      'mariadb',
      [...args, '--batch', '--skip-column-names', '-e', statement],
      { env: { PATH: process.env['PATH'] ?? '', MYSQL_PWD: password }, timeout: 30_000 },
      (error, output, words) =>
        error ? reject(new Error(words || error.message)) : resolve(output.split('\n').filter(Boolean)),
    );
  });
}

/** Inserts numbers one by one until the connection breaks, which `strike` brings about; gives how many were confirmed. */
export async function insertUntil(
  { host, port, user, password }: Login,
  enough: number,
  strike: () => Promise<unknown>,
): Promise<number> {
  const client = spawn(
    'mariadb',
    [
      '--no-defaults',
      '--protocol=tcp',
      `--host=${host}`,
      `--port=${port}`,
      `--user=${user}`,
      '--batch',
      '--skip-column-names',
      '--unbuffered',
    ],
    { env: { PATH: process.env['PATH'] ?? '', MYSQL_PWD: password }, stdio: ['pipe', 'pipe', 'ignore'] },
  );
  client.stdin.on('error', () => {});
  for (let n = 1; n <= 20_000; n += 1) client.stdin.write(`INSERT INTO conpaas.counted VALUES (${n}); SELECT ${n};\n`);
  client.stdin.end();
  let confirmed = 0;
  let struck = false;
  for await (const line of createInterface({ input: client.stdout })) {
    confirmed = Number(line);
    if (confirmed < enough || struck) continue;
    struck = true;
    void strike();
  }
  return confirmed;
}
