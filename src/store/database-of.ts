import type { Database } from './dialect.js';
import { type DatabaseUser, postgresDatabase } from './postgres.js';
import { sqliteDatabase } from './sqlite.js';

/** The database that a URL names: `sqlite:<file>` or `postgres://…`. */
export function databaseOf(url: string, onLost: (error: Error) => void, user?: DatabaseUser): Database {
  const file = sqliteFile(url);
  if (file !== undefined) return sqliteDatabase(file);
  if (/^postgres(ql)?:\/\//.test(url)) return postgresDatabase(url, onLost, user);
  throw new Error('A database URL begins with sqlite: and the path of a file, or with postgres://.');
}

/** Undefined: the URL names another kind of database. */
export function sqliteFile(url: string): string | undefined {
  return /^sqlite:(.+)$/s.exec(url)?.[1];
}
