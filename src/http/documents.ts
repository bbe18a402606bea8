import { writeWadl } from '../../wadl/wadl.js';
import type { Action, Call } from '../api/action.js';
import { openApi } from '../api/openapi.js';
import { type DocumentKey, TABLE } from '../api/table.js';
import { Fault } from '../domain/errors.js';
import type { ServiceDescription } from '../domain/views.js';
import type { AppOptions } from './options.js';

type DocumentCall = Call<Action> & { baseUrl: string };
export type Documents = { [K in DocumentKey]: (call: DocumentCall) => unknown };

/** What the API says of itself, from the table. */
export function createDocuments(options: AppOptions): Documents {
  return {
    describeService: ({ platform }): ServiceDescription => ({
      ...(platform !== undefined && { platform }),
      platforms: [...options.platforms],
      version: options.version,
    }),
    getWadl({ query, baseUrl }) {
      const version = (query as { version?: string }).version ?? '2006';
      if (version !== '2006' && version !== '2009') throw new Fault('InvalidValue', 'version is 2006 or 2009.');
      return writeWadl(TABLE, { base: `${baseUrl}/`, version });
    },
    getOpenApi: ({ baseUrl }) => openApi(TABLE, { base: baseUrl, version: options.version }),
  };
}
