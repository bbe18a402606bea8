import passport from 'passport';
import { Fault } from '../domain/errors.js';
import type { Principal } from '../domain/principal.js';
import { FirstColonBasicStrategy } from './basic.js';
import type { Exchange } from './exchange.js';
import type { AppOptions } from './options.js';
import { isSigned, SignatureStrategy } from './signature.js';

export type Authenticate = (exchange: Exchange) => Promise<Principal>;

/** Who calls: by signature when the request has one, else by Basic. Throws Fault `Unauthorized`, `TooManyRequests`, those of §4. */
export function createAuthenticate(options: AppOptions): Authenticate {
  const own = new passport.Passport();
  own.use('basic', new FirstColonBasicStrategy(options.authentication, options.anonymous));
  own.use('signature', new SignatureStrategy(options.authentication, options.now ?? Date.now));
  return ({ req, res, target }) =>
    new Promise((resolve, reject) => {
      const answer = (error: unknown, principal?: Principal | false) => {
        if (error) reject(error);
        else if (principal) resolve(principal);
        else reject(new Fault('Unauthorized', 'Give the name and the password of a user (HTTP Basic).'));
      };
      own.authenticate(isSigned(target) ? 'signature' : 'basic', { session: false }, answer)(req, res, reject);
    });
}
