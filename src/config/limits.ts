import * as z from 'zod';
import { note } from './note.js';
import { seconds, size, whole } from './values.js';

/** What one client, or all together, may take. */
export const LIMITS = z
  .strictObject({
    descriptor: note(size(1024).default(1024 ** 2), { otherwise: '1 MiB', help: 'Size of a descriptor.' }),
    upload: note(size(1024).default(1024 ** 3), { otherwise: '1 GiB', help: 'Size of an artefact.' }),
    entries: note(whole(1, 10_000_000).default(200_000), { help: 'Files and folders in an archive.' }),
    unpacked: note(size(1024).default(4 * 1024 ** 3), {
      otherwise: '4 GiB',
      help: 'Size of an archive when unpacked.',
    }),
    headers: note(size(1024).default(16 * 1024), { otherwise: '16 KiB', help: 'Size of the headers of a request.' }),
    headersTimeout: note(seconds(1).default(20), { help: 'Seconds for the headers of a request.' }),
    bodyTimeout: note(seconds(1).default(60), {
      help: 'Seconds for the body of a request that is no upload; the longest silence within an upload.',
    }),
    requestTimeout: note(seconds(1).default(3600), { help: 'Seconds for a whole request, uploads included.' }),
    stall: note(seconds(1).default(120), {
      help: 'Seconds after which a client that takes nothing of its answer is cut off.',
    }),
    keepAlive: note(seconds(1).default(65), { help: 'Seconds that an idle connection stays open.' }),
    connections: note(whole(1, 1_000_000).default(2000), { help: 'Connections at a time.' }),
    uploadsPerUser: note(whole(1, 1_000_000).default(256), { help: 'Uploads of one user at a time.' }),
    diskFloor: note(size(0).default(256 * 1024 ** 2), {
      otherwise: '256 MiB',
      help: 'Free space on the disk of `data` below which uploads are refused before they begin.',
    }),
    operations: note(whole(1, 10_000).default(32), {
      help: 'Tasks at a time on each platform, over all gateways of a database.',
    }),
    queue: note(whole(1, 1_000_000).default(2000), {
      help: 'Tasks that wait or run at a time; beyond it new ones are refused (503).',
    }),
    shutdown: note(seconds(0).default(10), { help: 'Seconds that running requests and tasks have at a shutdown.' }),
  })
  .prefault({});

export const RETENTION = z
  .strictObject({
    tasks: note(whole(0, 36_500).default(90), {
      help: 'Days that a task is kept after its end; 0: for ever.',
    }),
    audit: note(whole(0, 36_500).default(365), { help: 'Days that the audit trail is kept; 0: for ever.' }),
  })
  .prefault({});
