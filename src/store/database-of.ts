import type { DatabaseUser } from './database-user.js';
import type { Database } from './dialect.js';
import { sqliteDatabase } from './sqlite.js';

/** The database that a URL names: `sqlite:<file>` or `postgres://…`. */
export async function databaseOf(url: string, onLost: (error: Error) => void, user?: DatabaseUser): Promise<Database> {
  const file = sqliteFile(url);
  if (file !== undefined) return sqliteDatabase(file);
  if (/^postgres(ql)?:\/\//.test(url)) {
    // Its client takes as long to load as a tenth of the gateway.
    const { postgresDatabase } = await import('./postgres.js');
    return postgresDatabase(url, onLost, user);
  }
  throw new Error('A database URL begins with sqlite: and the path of a file, or with postgres://.');
}

/** Undefined: the URL names another kind of database. */
export function sqliteFile(url: string): string | undefined {
  return /^sqlite:(.+)$/s.exec(url)?.[1];
}
