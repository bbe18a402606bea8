import { buffer } from 'node:stream/consumers';
import { Header } from 'tar';
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

/** Bytes: a tar is made of blocks. */
const BLOCK = 512;

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
  return { filename: 'code-default.tar', archive: tarOf(files) };
}

async function zipOf(files: Files): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  return await buffer(zip.outputStream);
}

function tarOf(files: Files): Buffer {
  const members = Object.entries(files).flatMap(([path, text]) => {
    const content = Buffer.from(text);
    const header = new Header({ path, mode: 0o644, size: content.length, type: 'File', mtime: new Date(0) });
    header.encode();
    return [header.block ?? Buffer.alloc(0), content, Buffer.alloc(-content.length & (BLOCK - 1))];
  });
  return Buffer.concat([...members, Buffer.alloc(2 * BLOCK)]);
}
