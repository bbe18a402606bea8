import type { Database } from './dialect.js';
import { postgresDatabase } from './postgres.js';
import { sqliteDatabase } from './sqlite.js';

/** How a gateway's connections call themselves to PostgreSQL: others see by it that one runs. */
export const GATEWAY = 'coaps-gateway';

/** The database that a URL names: `sqlite:<file>` or `postgres://…`. */
export function databaseOf(url: string, onLost: (error: Error) => void, program = GATEWAY): Database {
  const file = sqliteFile(url);
  if (file !== undefined) return sqliteDatabase(file);
  if (/^postgres(ql)?:\/\//.test(url)) return postgresDatabase(url, onLost, program);
  throw new Error('A database URL begins with sqlite: and the path of a file, or with postgres://.');
}

/** Undefined: the URL names another kind of database. */
export function sqliteFile(url: string): string | undefined {
  return /^sqlite:(.+)$/s.exec(url)?.[1];
}
