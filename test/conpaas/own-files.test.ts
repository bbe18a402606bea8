import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostId } from '../../src/conpaas/host.js';
import { openOwnAuthority } from '../../src/conpaas/own-certificates.js';

const now = () => new Date();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coaps-own-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('authority and id of a host are made once, and kept', async () => {
  const made = [(await openOwnAuthority(folder, now)).certificate, await hostId(folder)];
  expect([(await openOwnAuthority(folder, now)).certificate, await hostId(folder)]).toEqual(made);
});

test('what is there and cannot be read is an error; nothing is made in its place', async () => {
  const { certificate } = await openOwnAuthority(folder, now);
  await rm(join(folder, 'ca_key.pem'));
  for (const name of ['ca_key.pem', 'host-id']) await mkdir(join(folder, name));
  await expect(openOwnAuthority(folder, now)).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(hostId(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  expect(await readFile(join(folder, 'ca_cert.pem'), 'utf8')).toBe(certificate);
  expect((await readdir(folder)).sort()).toEqual(['ca_cert.pem', 'ca_key.pem', 'host-id']);
});

test('a key without its certificate, as a crash at the first start leaves it, is made again', async () => {
  await writeFile(join(folder, 'ca_key.pem'), 'half');
  expect((await openOwnAuthority(folder, now)).certificate).toMatch(/^-----BEGIN CERTIFICATE/);
});
