import { request } from 'node:https';
import { PassThrough, Readable } from 'node:stream';
import { AdapterError, type DeploymentKey, type LogOptions } from '../adapter.js';
import { identifiedBy } from './client.js';
import { needService, type Work } from './work.js';

/** The output of the service's applications, streamed by its manager; of an older ConPaaS the manager's own log. */
export async function logs(work: Work, key: DeploymentKey, options: LogOptions): Promise<Readable> {
  const { address, manager } = await needService(work, key);
  const stream = await streamed(work, address, options);
  if (stream) return stream;
  if (options.follow) throw new AdapterError('not-supported', 'This ConPaaS cannot follow a log.');
  const { log } = (await manager.get('getLog')) as { log: string };
  const lines = log.split('\n').filter((line) => line !== '');
  return Readable.from((options.lines > 0 ? lines.slice(-options.lines) : []).map((line) => `${line}\n`));
}

/** Undefined: the manager has no such method. */
function streamed(
  { settings, managers, call }: Work,
  address: string,
  options: LogOptions,
): Promise<Readable | undefined> {
  const url = managers.urlOf(address);
  url.searchParams.set('method', 'get_application_log');
  url.searchParams.set('id', '1');
  url.searchParams.set('params', JSON.stringify({ lines: options.lines, follow: options.follow }));
  return new Promise((resolve, reject) => {
    const asking = request(
      url,
      {
        agent: false,
        ca: settings.ca,
        signal: call.signal,
        timeout: options.follow ? 0 : settings.requestTimeout,
        ...identifiedBy(settings, { certificate: true, role: 'manager' }),
        headers: { 'content-type': 'application/json' },
      },
      (answer) => {
        if (answer.statusCode === 200) return resolve(ending(answer));
        answer.resume();
        if (answer.statusCode === 404) return resolve(undefined);
        reject(new AdapterError('unavailable', `The manager answered with ${answer.statusCode}.`));
      },
    );
    asking.on('timeout', () => asking.destroy(new Error('no answer in time')));
    asking.on('error', (cause) => {
      if (call.signal.aborted) return reject(call.signal.reason);
      reject(new AdapterError('unavailable', 'The ConPaaS manager cannot be reached.', { cause }));
    });
    asking.end();
  });
}

/** A connection that ends, also by the reader's abort, is the end of the output and no fault. */
function ending(answer: Readable): Readable {
  const output = new PassThrough();
  answer.on('data', (chunk) => output.write(chunk) || answer.pause());
  output.on('drain', () => answer.resume());
  answer.on('error', () => undefined);
  answer.once('close', () => output.end());
  output.once('close', () => answer.destroy());
  return output;
}
