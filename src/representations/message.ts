import { FAULT_STATUS, type Fault } from '../domain/errors.js';
import type { OperationResponse } from '../domain/views.js';
import { links } from './link.js';
import { attribute, oneOf, required, type Shape, type WireRecord } from './shape.js';
import { defined, some, type Thing } from './thing.js';

export const operationResponseThing: Thing<OperationResponse> = {
  shape: { name: 'operationResponse', fields: [attribute('value', 'string', required), links] },
  record: ({ value }, { links }) => defined({ value, links: some(links) }),
};

export const errorShape: Shape = {
  name: 'error',
  fields: [
    attribute('value', 'string', required),
    attribute('code', 'string', oneOf(Object.keys(FAULT_STATUS))),
    attribute('status', 'integer', required),
    attribute('requestId', 'string', required),
  ],
};

export function errorRecord({ message, code, status }: Fault, requestId: string): WireRecord {
  return { value: message, code, status, requestId };
}
