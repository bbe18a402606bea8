import { createHash } from 'node:crypto';

/** The applications' own database, and the account that may do everything in it and nothing elsewhere. */
export const APPLICATION_DATABASE = 'conpaas';
export const APPLICATION_USER = 'conpaas';

export type Accounts = Readonly<Record<string, string>>;

/**
 * Brings a server's accounts to what they shall be, whatever they were; one statement for each line, as an init file wants it. Passwords
 * stand in it as the hashes that the server keeps.
 */
export function accountStatements(accounts: Accounts, administrator?: string): string {
  return `${[
    ...(administrator === undefined ? [] : administratorStatements(administrator)),
    `CREATE DATABASE IF NOT EXISTS \`${APPLICATION_DATABASE}\` CHARACTER SET utf8mb4`,
    ...Object.entries(accounts).flatMap(([user, password]) => [
      `CREATE USER IF NOT EXISTS ${quoted(user)}@'%'`,
      `ALTER USER ${quoted(user)}@'%' IDENTIFIED BY PASSWORD '${hashOf(password)}'`,
      user === APPLICATION_USER
        ? `GRANT ALL PRIVILEGES ON \`${APPLICATION_DATABASE}\`.* TO ${quoted(user)}@'%'`
        : `GRANT ALL PRIVILEGES ON *.* TO ${quoted(user)}@'%' WITH GRANT OPTION`,
    ]),
  ].join(';\n')};\n`;
}

/** `root` comes in by the socket alone; what the installation left open besides goes. */
function administratorStatements(password: string): string[] {
  return [
    "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost')",
    'FLUSH PRIVILEGES',
    `CREATE OR REPLACE USER 'root'@'localhost' IDENTIFIED BY PASSWORD '${hashOf(password)}'`,
    "GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION",
  ];
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, (sign) => `\\${sign}`)}'`;
}

/** As `mysql_native_password` keeps it. */
function hashOf(password: string): string {
  const sha1 = (data: string | Buffer) => createHash('sha1').update(data).digest();
  return `*${sha1(sha1(password)).toString('hex').toUpperCase()}`;
}
