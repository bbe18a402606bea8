import { type WadlVersion, writeWadl } from '../../wadl/wadl.js';
import type { Action, Call } from '../api/action.js';
import { openApi } from '../api/openapi.js';
import { type DocumentKey, TABLE } from '../api/table.js';
import { Fault } from '../domain/errors.js';
import type { ServiceDescription } from '../domain/views.js';
import { escapeAttribute } from '../representations/text.js';
import type { AppOptions } from './options.js';

type DocumentCall = Call<Action> & { baseUrl: string };
export type Documents = { [K in DocumentKey]: (call: DocumentCall) => unknown };

/** What the API says of itself, from the table. */
export function createDocuments(options: AppOptions): Documents {
  const written = new Map<WadlVersion, string>();
  /** Only the base differs between two requests. */
  const wadl = (version: WadlVersion, base: string) => {
    const text = written.get(version) ?? writeWadl(TABLE, { base: ANY_BASE, version });
    written.set(version, text);
    return text.replace(ANY_BASE, () => escapeAttribute(base));
  };
  return {
    describeService: ({ platform }): ServiceDescription => ({
      ...(platform !== undefined && { platform }),
      platforms: [...options.platforms],
      version: options.version,
    }),
    getWadl({ query, baseUrl }) {
      const version = (query as { version?: string }).version ?? '2006';
      if (version !== '2006' && version !== '2009') throw new Fault('InvalidValue', 'version is 2006 or 2009.');
      return wadl(version, `${baseUrl}/`);
    },
    getOpenApi: ({ baseUrl }) => openApi(TABLE, { base: baseUrl, version: options.version }),
  };
}

const ANY_BASE = 'any:base';
