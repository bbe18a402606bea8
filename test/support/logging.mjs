/** Logs what must not be read, as a part of the gateway might do by mistake. */
import { openLog } from '../../dist/src/gateway/log.js';

const log = await openLog('info');
const error = Object.assign(new Error('refused'), {
  config: { headers: { Authorization: 'Bearer hidden-1' }, auth: { password: 'hidden-2' } },
});
log.warn({ err: error, platform: 'CF' }, 'a platform cannot be observed');
log.info({ password: 'hidden-3', options: { clientSecret: 'hidden-4', nested: { token: 'hidden-5' } } }, 'options');
log.debug({}, 'not at this level');
