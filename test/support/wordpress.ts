import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { mariadbIsMissing } from './mariadb.js';

/** Where Debian's package has it. */
const PACKAGE = '/usr/share/wordpress';

/** Half of it, for people who look at it with a browser. */
const BROWSERS_PART = 'wp-includes/js';

/** Why WordPress cannot be tried on this machine, and how to get what is missing; undefined: it can. */
export async function wordpressIsMissing(): Promise<string | undefined> {
  const database = await mariadbIsMissing();
  if (database) return database;
  if (!existsSync(join(PACKAGE, 'wp-settings.php'))) return 'WordPress is missing: apt-get install wordpress.';
  const modules = await new Promise<string>((resolve) => execFile('php', ['-m'], (_error, output) => resolve(output)));
  return /^mysqli$/m.test(modules)
    ? undefined
    : 'PHP with MySQL is missing: apt-get install php-cli php-fpm php-mysql.';
}

const CONFIGURATION = `<?php
define('DB_HOST', getenv('MYSQL_HOST') . ':' . getenv('MYSQL_PORT'));
define('DB_USER', getenv('MYSQL_USER'));
define('DB_PASSWORD', getenv('MYSQL_PASSWORD'));
define('DB_NAME', getenv('MYSQL_DATABASE'));
define('DB_CHARSET', 'utf8mb4');
define('AUTH_KEY', 'of-the-test');
define('SECURE_AUTH_KEY', 'of-the-test');
define('LOGGED_IN_KEY', 'of-the-test');
define('NONCE_KEY', 'of-the-test');
define('WP_DEFAULT_THEME', 'plain');
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
`;

/** Debian keeps themes in packages of their own. */
const theme = (footer: string) => `<!DOCTYPE html>
<html><head><title><?php bloginfo('name'); ?></title></head><body>
<?php while (have_posts()) { the_post(); ?><article><?php the_title('<h2>', '</h2>'); the_content(); ?></article><?php } ?>
<footer>${footer}</footer></body></html>
`;

/** WordPress as an application: Debian's files with a configuration that takes what the platform tells, and a theme of one page. */
export async function wordpressZip(footer: string): Promise<Buffer> {
  const zip = new ZipFile();
  const add = (folder: string, name: string): void => {
    const entries = readdirSync(join(folder, name));
    for (const entry of entries) {
      // The twins for people who look into it would double the size.
      if (
        entries.includes(entry.replace(/\.(js|css)$/, '.min.$1')) &&
        !/\.min\.\w+$/.test(entry) &&
        /\.(js|css)$/.test(entry)
      )
        continue;
      const path = join(name, entry);
      if (path === BROWSERS_PART) continue;
      const file = join(folder, path);
      // Debian's package links to files of others.
      if (statSync(file).isDirectory()) add(folder, path);
      else if (path !== 'wp-config.php' && path !== '.htaccess')
        zip.addBuffer(readFileSync(file), path, { compressionLevel: 1 });
    }
  };
  add(PACKAGE, '');
  const own = {
    'wp-config.php': CONFIGURATION,
    'wp-content/themes/plain/style.css': '/* Theme Name: plain */\n',
    'wp-content/themes/plain/index.php': theme(footer),
  };
  for (const [name, content] of Object.entries(own)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  return await buffer(zip.outputStream as Readable);
}

/** A visitor with cookies. */
export function visitor(origin: () => string) {
  const cookies = new Map<string, string>();
  const visit = async (
    path: string,
    init: RequestInit = {},
  ): Promise<{ status: number; text: string; url: string }> => {
    const headers = { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), ...init.headers };
    const answer = await fetch(new URL(path, origin()), { redirect: 'manual', ...init, headers });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    return { status: answer.status, text: await answer.text(), url: answer.headers.get('location') ?? '' };
  };
  return {
    visit,
    submit: (path: string, form: Record<string, string>) =>
      visit(path, { method: 'POST', body: new URLSearchParams(form) }),
  };
}
