import type { AuditEvent } from '../domain/model.js';
import type { Listing } from '../domain/views.js';
import type { NewAuditEvent, Paging, Store } from '../store/store.js';
import { listing } from './listing.js';

export interface Audit {
  /** All or none; at most a thousand. */
  add(...events: NewAuditEvent[]): Promise<void>;
  /** Newest first. */
  list(paging?: Paging): Promise<Listing<AuditEvent>>;
}

export function createAudit({ store }: { store: Pick<Store, 'audit'> }): Audit {
  return {
    add: (...events) => store.audit.add(...events),
    list: (paging) => listing((part) => store.audit.list(part), paging),
  };
}
