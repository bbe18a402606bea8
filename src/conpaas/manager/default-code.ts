import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { create } from 'tar';
import { ZipFile } from 'yazl';
import type { ServiceType } from '../../domain/conpaas.js';
import { SCRIPT_NAMES } from '../agent/protocol.js';

const PAGE = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>ConPaaS</title></head>
<body><h1>Welcome to ConPaaS!</h1><p>This service works. Upload your application to replace this page.</p></body></html>
`;

const WEB_XML = `<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0"><display-name>ConPaaS</display-name></web-app>
`;

const NODE_SERVER = `const page = ${JSON.stringify(PAGE)};
require('node:http')
  .createServer((request, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(page))
  .listen(process.env.PORT, process.env.HOST);
`;

const PYTHON_APPLICATION = `PAGE = ${JSON.stringify(PAGE)}.encode()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    return [PAGE]


app = application
`;

const SCRIPT = `#!/bin/bash
# Runs as the service's own user, in the folder of its archive.
date
echo "Executing script \${0##*/}"
echo "Parameters ($#): $@"
echo "My IP is $MY_IP"
echo "My role is $MY_ROLE"
echo "My master IP is $MASTER_IP"
echo "Information about other agents is stored at $AGENTS_FILE"
cat "$AGENTS_FILE"
`;

type Files = Record<string, string>;

const FILES: Partial<Record<ServiceType, Files>> = {
  java: { 'index.html': PAGE, 'WEB-INF/web.xml': WEB_XML },
  php: { 'index.php': PAGE },
  nodejs: {
    'package.json': JSON.stringify({ name: 'welcome', version: '1.0.0', private: true, main: 'server.js' }),
    'server.js': NODE_SERVER,
  },
  python: { 'wsgi.py': PYTHON_APPLICATION },
  static: { 'index.html': PAGE },
  generic: Object.fromEntries(SCRIPT_NAMES.map((name) => [`${name}.sh`, SCRIPT])),
};

/** The "Initial version" of a new service. */
export async function defaultCode(type: ServiceType): Promise<{ filename: string; archive: Buffer } | undefined> {
  const files = FILES[type];
  if (!files) return;
  if (type === 'java') return { filename: 'code-default.war', archive: await zipOf(files) };
  return { filename: 'code-default.tar', archive: await tarOf(files) };
}

async function zipOf(files: Files): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  return await buffer(zip.outputStream);
}

async function tarOf(files: Files): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'conpaas-code-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    const file = join(folder, '.tar');
    await create({ file, cwd: folder, portable: true }, Object.keys(files));
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
