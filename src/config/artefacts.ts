import * as z from 'zod';
import { note } from './note.js';
import { artefactStore, flag, text, webAddress } from './values.js';

/** Where artefacts are kept, and where they may come from. */
export const ARTEFACTS = z
  .strictObject({
    store: note(artefactStore().default('files'), {
      variable: 'COAPS_ARTEFACTS',
      help: 'Where artefacts are kept: `files` in data, the absolute path of a folder that gateways share, or `s3://bucket/prefix`.',
    }),
    s3: z
      .strictObject({
        endpoint: note(webAddress().optional(), {
          variable: 'COAPS_S3_ENDPOINT',
          otherwise: 'AWS',
          help: 'Server of the bucket, where it is not of AWS.',
        }),
        region: note(text().default('us-east-1'), { variable: 'COAPS_S3_REGION', help: 'Its region.' }),
        accessKeyId: note(text().optional(), {
          variable: 'COAPS_S3_ACCESS_KEY_ID',
          otherwise: 'what the AWS SDK finds',
          help: 'Access key for the bucket.',
        }),
        secretAccessKey: note(text().optional(), {
          variable: 'COAPS_S3_SECRET_ACCESS_KEY',
          help: 'Its secret.',
          secret: true,
        }),
      })
      .refine(
        ({ accessKeyId, secretAccessKey }) => (accessKeyId === undefined) === (secretAccessKey === undefined),
        'accessKeyId and secretAccessKey belong together',
      )
      .prefault({}),
    dropFolder: note(text().optional(), {
      otherwise: 'none',
      help: 'Folder from which deploy takes an artefact that has the name of the deployable, for clients that never send one.',
    }),
    allowPrivate: note(flag().default(false), {
      help: 'Whether an artefact may be fetched from a URL with a private or loopback address.',
    }),
  })
  .prefault({});
