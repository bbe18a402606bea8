import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { applicationEnvironment } from '../../src/conpaas/agent/environment.js';
import { launch } from '../../src/conpaas/agent/launch.js';
import { openOutput } from '../../src/conpaas/agent/output.js';
import { openRoom } from '../../src/conpaas/agent/room.js';
import { detectRuntimes } from '../../src/conpaas/agent/runtimes/index.js';
import { phpOf } from '../../src/conpaas/agent/runtimes/php.js';
import type { RunContext } from '../../src/conpaas/agent/runtimes/runtime.js';
import { desired, expose, openRig, type Rig, sendFiles, textOf } from './agent-rig.js';

const runtimes = await detectRuntimes(process.env);
const onMachine = (name: string) => {
  const found = runtimes.find((one) => one.name === name);
  if (found?.available) return describe;
  console.log(`skipped: ${found?.install}`);
  return describe.skip;
};

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

async function run(
  type: 'php' | 'python' | 'nodejs',
  files: Record<string, string>,
  more: Parameters<typeof desired>[1] = {},
) {
  const { client } = await rig.agent({ type });
  await sendFiles(client, 'code-a', files);
  const { application } = await client.apply(desired('code-a', more));
  return { client, application, url: await expose(client) };
}

onMachine('php')('PHP', () => {
  const files = {
    'index.php': `<?php
      header('X-Made-By: php'); setcookie('a', '1'); setcookie('b', '2');
      echo json_encode(['uri' => $_SERVER['REQUEST_URI'], 'query' => $_GET, 'post' => $_POST, 'body' => strlen(file_get_contents('php://input')),
        'method' => $_SERVER['REQUEST_METHOD'], 'limit' => ini_get('memory_limit'), 'env' => getenv('GREETING'), 'mysqli' => extension_loaded('mysqli'),
        'address' => $_SERVER['REMOTE_ADDR'], 'proxy' => $_SERVER['HTTP_PROXY'] ?? null]);`,
    'sub/page.php': '<?php echo $_SERVER["SCRIPT_NAME"], " ", $_SERVER["PATH_INFO"];',
    'status.php': '<?php http_response_code(418); echo "tea";',
    'big.php': '<?php for ($i = 0; $i < 2000; $i++) echo str_repeat("x", 1000);',
    'session.php': '<?php session_start(); $_SESSION["n"] = ($_SESSION["n"] ?? 0) + 1; echo $_SESSION["n"];',
    'style.css': 'p { color: red }',
    '.env': 'SECRET=1',
    'uploads/.htaccess': 'deny',
  };

  it('runs with its settings and variables, and the site’s index.php takes what is no file', async () => {
    const { url, application } = await run('php', files, {
      php: { memory_limit: '99M' },
      variables: { GREETING: 'hi' },
    });
    expect(application.runtime).toBe('php');
    const response = await fetch(`${url}/any/where?x=1`, { headers: { Proxy: 'evil:1' } });
    expect(response.headers.get('x-made-by')).toBe('php');
    expect(response.headers.getSetCookie()).toHaveLength(2);
    expect(await response.json()).toMatchObject({
      uri: '/any/where?x=1',
      query: { x: '1' },
      method: 'GET',
      limit: '99M',
      env: 'hi',
      address: '127.0.0.1',
      proxy: null,
    });
    const posted = await fetch(url, { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
    expect(await posted.json()).toMatchObject({ post: { a: 'b' }, method: 'POST' });
    expect(await textOf(`${url}/sub/page.php/more`)).toBe('/sub/page.php /more');
    expect(await textOf(`${url}/style.css`)).toContain('red');
    expect((await fetch(`${url}/status.php`)).status).toBe(418);
    expect((await textOf(`${url}/big.php`)).length).toBe(2_000_000);
    const first = await fetch(`${url}/session.php`);
    const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect(await textOf(`${url}/session.php`, { headers: { cookie } })).toBe('2');
    // Dotfiles are no files, so the index answers.
    expect(await textOf(`${url}/.env`)).toContain('"uri"');
    expect(await textOf(`${url}/uploads/.htaccess`)).toContain('"uri"');
  });

  it('is served by php itself where there is no FPM', async () => {
    const home = await mkdtemp(join(tmpdir(), 'coaps-php-'));
    const room = await openRoom(join(home, 'room'), null);
    const folder = join(room.code, 'code-a');
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    const context: RunContext = {
      ...{ room, folder, work: join(room.work, 'code-a'), settings: { variables: {}, php: { memory_limit: '99M' } } },
      env: { ...(await applicationEnvironment(room, { PATH: '/usr/local/bin:/usr/bin:/bin' })), GREETING: 'hi' },
      output: await openOutput(join(home, 'output'), { fileBytes: 1000, files: 1 }),
      signal: new AbortController().signal,
      doing: () => {},
      run: async () => {},
    };
    const start = { host: '127.0.0.1', startSeconds: 60, newMark: () => 'php-of-the-test', graceMs: 1000 };
    const { group, address } = await launch({ runtime: phpOf('/nonexistent'), context, ...start });
    const url = `http://${address.host}:${address.port}`;
    expect(await (await fetch(`${url}/any/where?x=1`)).json()).toMatchObject({
      uri: '/any/where?x=1',
      limit: '99M',
      env: 'hi',
    });
    expect(await textOf(`${url}/style.css`)).toContain('red');
    expect((await fetch(`${url}/status.php`)).status).toBe(418);
    for (const hidden of ['.env', 'uploads/.htaccess']) expect((await fetch(`${url}/${hidden}`)).status).toBe(404);
    await group.stop(1000);
    context.output.close();
    await rm(home, { recursive: true });
  });

  it('receives a large body, also one of unknown length', async () => {
    const { url } = await run('php', files);
    const large = Buffer.alloc(3_000_000, 'y');
    const known = await fetch(url, {
      method: 'POST',
      body: large,
      headers: { 'Content-Type': 'application/octet-stream' },
    });
    expect(await known.json()).toMatchObject({ body: 3_000_000 });
    const unknown = await new Promise<string>((resolve, reject) => {
      const outgoing = request(
        url,
        { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' } },
        (response) => resolve(text(response)),
      );
      outgoing.on('error', reject);
      outgoing.write(large.subarray(0, 1_000_000));
      outgoing.end(large.subarray(1_000_000, 2_000_000));
    });
    expect(JSON.parse(unknown)).toMatchObject({ body: 2_000_000 });
  });

  it('with a setting that would break out of its line is refused', async () => {
    const { client } = await rig.agent({ type: 'php' });
    await sendFiles(client, 'code-a', files);
    const php = { memory_limit: '1M"\nphp_admin_value[auto_prepend_file] = /etc/passwd' };
    await expect(client.apply(desired('code-a', { php }))).rejects.toMatchObject({ kind: 'rejected' });
  });
});

onMachine('python')('Python', () => {
  it('runs a script that listens by itself', async () => {
    const { url, application } = await run(
      'python',
      {
        'app.py': `import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class H(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"script " + os.environ["GREETING"].encode())
if __name__ == "__main__":
    HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), H).serve_forever()
`,
      },
      { variables: { GREETING: 'hi' } },
    );
    expect(application.runtime).toBe('python');
    expect(await textOf(url)).toBe('script hi');
  });

  it('runs a WSGI application that brings no server', async () => {
    const { url } = await run('python', {
      'wsgi.py': `def application(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"wsgi ", environ["PATH_INFO"].encode()]
`,
    });
    expect(await textOf(`${url}/here`)).toBe('wsgi /here');
  });

  it('whose requirements cannot be had fails with pip’s words', async () => {
    const { client } = await rig.agent({ type: 'python' });
    await sendFiles(client, 'code-a', { 'requirements.txt': './no-such-folder\n', 'app.py': '' });
    await expect(client.apply(desired('code-a'))).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('could not be prepared'),
      lastLines: expect.arrayContaining([expect.stringContaining('no-such-folder')]),
    });
  });
});

describe('a Procfile', () => {
  it('says what runs, in a shell', async () => {
    const { url, application } = await run('nodejs', {
      Procfile: 'worker: sleep 1\nweb: GREETING=hello node server.js $PORT\n',
      'server.js':
        'require("http").createServer((q, r) => r.end(process.env.GREETING)).listen(Number(process.argv[2]));',
    });
    expect(application.runtime).toBe('procfile');
    expect(await textOf(url)).toBe('hello');
  });

  it('without a web line is refused', async () => {
    const { client } = await rig.agent();
    await sendFiles(client, 'code-a', { Procfile: 'worker: x\n' });
    await expect(client.apply(desired('code-a'))).rejects.toMatchObject({ kind: 'rejected', message: /web:/ });
  });
});

it('an archive that holds no application is refused with what is expected', async () => {
  const { client } = await rig.agent();
  await sendFiles(client, 'code-a', { 'readme.txt': 'x', 'other.txt': 'y' });
  await expect(client.apply(desired('code-a'))).rejects.toMatchObject({
    kind: 'rejected',
    message: expect.stringMatching(/package\.json.*index\.html/),
  });
});
