/**
 * A backup is one tar file, whatever database and artefact store it came from:
 *
 *   backup.json                     the header, first
 *   store/<table>/<number>.ndjson   rows: a JSON array of values in each line, in the order of the columns
 *   data/<path>                     files of the data directory: keys, certificates, code of ConPaaS services
 *   artefacts/<sha256>
 *   checksums.json                  size and SHA-256 of every member before it, last
 */
export const FORMAT = 1;

export const HEADER = 'backup.json';
export const CHECKSUMS = 'checksums.json';

export interface Header {
  format: number;
  /** Version of the program that wrote it. */
  program: string;
  createdAt: string;
  /** Names of the migrations that made the tables. */
  migrations: string[];
  /** Rows by table. */
  tables: string[];
}

export interface MemberSum {
  name: string;
  size: number;
  sha256: string;
}

export interface Checksums {
  members: MemberSum[];
}

const NAMES = {
  rows: /^store\/(\w+)\/\d+\.ndjson$/,
  file: /^data\/(.+)$/s,
  artefact: /^artefacts\/([0-9a-f]{64})$/,
};

/** What a member is, and the table, path or digest that its name tells; undefined: nothing of ours. */
export function kindOf(name: string): { kind: keyof typeof NAMES; of: string } | undefined {
  for (const kind of ['rows', 'file', 'artefact'] as const) {
    const of = NAMES[kind].exec(name)?.[1];
    if (of !== undefined) return { kind, of };
  }
  return undefined;
}
