import type { ConpaasService } from '../../domain/conpaas.js';
import type { Timestamp } from '../../domain/model.js';
import type { AddressBook } from '../addresses.js';

/** UTC in the form of Python's isoformat, which old clients know: no zone, microseconds. */
export function conpaasTime(at: Timestamp): string {
  return new Date(at).toISOString().replace('Z', '000');
}

/** A service as /start and /list show it: exactly these keys, which clients print as columns. */
export function serviceRow(service: ConpaasService, addresses: AddressBook) {
  return {
    application_id: service.aid,
    cloud: service.cloud,
    created: conpaasTime(service.createdAt),
    manager: addresses.managerName(service),
    name: service.name,
    sid: service.sid,
    state: service.state,
    subnet: null,
    type: service.current.settings.typeName ?? service.type,
    user_id: service.uid,
    vmid: String(service.vmid),
  };
}
