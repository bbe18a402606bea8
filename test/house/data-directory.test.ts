import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryHeld, openDataDirectory } from '../../src/gateway/data-directory.js';

describe('the data directory', () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'coaps-data-'));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));
  const mode = () => statSync(path).mode & 0o777;

  it('is closed to others, whatever it was', () => {
    chmodSync(path, 0o766);
    openDataDirectory(path).release();
    expect(mode()).toBe(0o700);
  });

  it('lets running applications walk on to their files after a restart of the gateway', () => {
    openDataDirectory(path).release();
    chmodSync(path, 0o711);
    openDataDirectory(path).release();
    expect(mode()).toBe(0o711);
  });

  it('is held by one gateway at a time', () => {
    const held = openDataDirectory(path);
    expect(() => openDataDirectory(path)).toThrow(DirectoryHeld);
    held.release();
    openDataDirectory(path).release();
  });
});
