import type { RequestEvent } from '../http/options.js';
import type { Audit } from '../services/audit.js';
import type { NewAuditEvent } from '../store/store.js';
import type { Log } from './log.js';

/** What is left of a request when it is over: a line of the log, and an event of the audit trail. */
export interface Trail {
  add(event: RequestEvent): void;
  /** Everything that was added is stored. */
  settled(): Promise<void>;
}

/** In one transaction. */
const MOST = 500;

/** Events that come while the disk is at work for others are stored together, in one transaction. */
export function createTrail(audit: Audit, log: Log): Trail {
  const waiting: NewAuditEvent[] = [];
  let storing: Promise<void> | undefined;
  const storeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const events = waiting.splice(0, MOST);
      try {
        await audit.add(...events);
      } catch (err) {
        for (const event of events) log.error({ err, ...event }, 'An audit event could not be stored');
      }
    }
    storing = undefined;
  };
  return {
    add(event) {
      write(event, log);
      if (!isChange(event)) return;
      const { user, action, target, status, requestId } = event;
      waiting.push({ user, action, target, status, requestId, at: new Date().toISOString() });
      storing ??= storeAll();
    },
    async settled() {
      while (storing) await storing;
    },
  };
}

/** Who changed what: every request of a known user that was no mere look. */
function isChange(event: RequestEvent): event is RequestEvent & { user: string; action: string } {
  return event.user !== undefined && event.action !== undefined && event.method !== 'GET';
}

/** Looks that went well are many and say little: they are logged at the level debug. */
function write(event: RequestEvent, log: Log): void {
  const level = levelOf(event);
  if (!log.isLevelEnabled(level)) return;
  const { route: _, ...rest } = event;
  log[level]({ ...rest, duration: Math.round(event.duration) }, 'request');
}

function levelOf({ method, status }: RequestEvent): 'warn' | 'info' | 'debug' {
  if (status >= 500) return 'warn';
  return status >= 400 || !['GET', 'HEAD', 'OPTIONS'].includes(method) ? 'info' : 'debug';
}
