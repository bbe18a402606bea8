import { X509Certificate } from 'node:crypto';
import type { AdapterContext, CheckResult } from '../adapter.js';
import { createDirectorApi } from './director.js';
import { translate } from './errors.js';
import { readSettings } from './settings.js';

const MONTH = 30 * 24 * 3600 * 1000;

/** Looks at the certificate, the Director, the right to use it, and what it offers. */
export async function checkConpaas(context: AdapterContext, signal: AbortSignal): Promise<CheckResult[]> {
  const settings = await readSettings(context);
  const until = new Date(new X509Certificate(settings.certificate).validTo);
  const results: CheckResult[] = [
    {
      ok: until.getTime() - Date.now() > MONTH,
      subject: 'certificate',
      text: `It is valid until ${until.toISOString()}; a new one comes from the Director's getcerts.`,
    },
  ];
  const director = createDirectorApi(settings);
  try {
    results.push(
      await looked('offered services', async () => (await director.availableTypes(signal)).join(', ') || 'none'),
      await looked('applications of the user', async () => `${(await director.applications(signal)).length}`),
    );
  } finally {
    director.close();
  }
  return results;
}

async function looked(subject: string, look: () => Promise<string>): Promise<CheckResult> {
  try {
    return { ok: true, subject, text: await look() };
  } catch (error) {
    return { ok: false, subject, text: (translate(error) as Error).message };
  }
}
