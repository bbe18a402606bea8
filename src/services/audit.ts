import type { AuditEvent } from '../domain/model.js';
import type { Listing } from '../domain/views.js';
import type { Paging, Store } from '../store/store.js';
import { listing } from './listing.js';

export interface Audit {
  add(event: Omit<AuditEvent, 'id' | 'at'>): Promise<void>;
  /** Newest first. */
  list(paging?: Paging): Promise<Listing<AuditEvent>>;
}

export function createAudit({ store }: { store: Pick<Store, 'audit'> }): Audit {
  return {
    add: (event) => store.audit.add(event),
    list: (paging) => listing((part) => store.audit.list(part), paging),
  };
}
