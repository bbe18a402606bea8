import type { Action } from '../src/api/action.js';
export function writeWadl(
  _table: Readonly<Record<string, Action>>,
  _at: { base: string; version: '2006' | '2009' },
): string {
  return '';
}
