import type { Build } from './api-objects.js';
import { isCode } from './errors.js';
import { BUILD } from './kinds.js';
import type { Work } from './work.js';

export function isOver(build: Build): boolean {
  return ['Complete', 'Failed', 'Error', 'Cancelled'].includes(build.status?.phase ?? '');
}

export async function cancelBuild({ client, call }: Work, namespace: string, name: string): Promise<void> {
  try {
    await client.patch(BUILD, namespace, name, { status: { cancelled: true } }, call.signal);
  } catch (failure) {
    if (!isCode(failure, 404)) throw failure;
  }
}
