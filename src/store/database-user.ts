/** Who opens a database. */
export interface DatabaseUser {
  /** How the connections call themselves to PostgreSQL: others see by it who is there. */
  program: string;
  /** Milliseconds after which PostgreSQL ends a transaction that idles; 0: never. */
  idleTransaction: number;
}

/**
 * A transaction of a gateway awaits nothing but the database: one that idles belongs to a gateway that hangs or was paused, and would
 * hold its locks, so that nobody could take its work over or begin any.
 */
export const GATEWAY: DatabaseUser = { program: 'coaps-gateway', idleTransaction: 5_000 };
