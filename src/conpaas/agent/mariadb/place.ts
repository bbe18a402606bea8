import { join } from 'node:path';
import { DATABASE_FOLDER, type Room } from '../room.js';

/** Files of one server. */
export interface DatabasePlace {
  /** The owner's. */
  folder: string;
  data: string;
  /** Relative to `data`: the path of a socket must be short, and the server and its clients run there. */
  socket: string;
}

export function databasePlace(room: Room): DatabasePlace {
  const folder = join(room.path, DATABASE_FOLDER);
  return { folder, data: join(folder, 'data'), socket: 'mariadb.sock' };
}
