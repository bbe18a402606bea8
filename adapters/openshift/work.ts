import type { AdapterCall, AdapterLog } from '../adapter.js';
import type { Client } from './client.js';
import type { Settings } from './settings.js';

/** What every piece of work has at hand. */
export interface Work {
  client: Client;
  settings: Settings;
  log: AdapterLog;
  call: AdapterCall;
}

/** The same work, ended by nothing but its own limits: for what must be undone although the call was aborted. */
export function unstoppable(work: Work): Work {
  return {
    ...work,
    call: { ...work.call, signal: AbortSignal.timeout(work.settings.deleteTimeout + work.settings.rolloutTimeout) },
  };
}
