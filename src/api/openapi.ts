import type { Action } from './action.js';
export function openApi(_table: Readonly<Record<string, Action>>, _at: { base: string; version: string }): object {
  return {};
}
