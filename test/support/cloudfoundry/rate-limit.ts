import type { Answer } from './http.js';
import type { User } from './objects.js';
import type { World } from './world.js';

/** Counts requests by user; without a token by address. An administrator is not limited. */
export interface Limits {
  count(user: User | undefined, path: string): { headers: Record<string, string>; refusal?: Answer };
}

export function createLimits({ options }: World): Limits {
  const used = new Map<string, { count: number; resetAt: number }>();
  return {
    count(user, path) {
      const limit = options.rateLimit;
      if (!limit || user?.admin || path === '/v3') return { headers: {} };
      const who = user?.guid ?? 'nobody';
      const now = Date.now();
      const current = used.get(who);
      const entry = current && current.resetAt > now ? current : { count: 0, resetAt: now + limit.reset };
      entry.count += 1;
      used.set(who, entry);
      const remaining = Math.max(0, limit.requests - entry.count);
      const headers = {
        'x-ratelimit-limit': String(limit.requests),
        'x-ratelimit-remaining': String(remaining),
        'x-ratelimit-reset': String(Math.ceil(entry.resetAt / 1000)),
      };
      if (entry.count <= limit.requests) return { headers };
      const error = user
        ? { detail: 'Rate Limit Exceeded', title: 'CF-RateLimitExceeded', code: 10013 }
        : {
            detail:
              'Rate Limit Exceeded: Unauthenticated requests from this IP address have exceeded the limit. Please log in.',
            title: 'CF-IPBasedRateLimitExceeded',
            code: 10014,
          };
      const retryAfter = String(Math.ceil((entry.resetAt - now) / 1000));
      // The middleware that refuses writes its JSON as plain text.
      const body = JSON.stringify({ errors: [error] });
      return {
        headers,
        refusal: {
          status: 429,
          headers: { ...headers, 'retry-after': retryAfter, 'content-type': 'text/plain; charset=utf-8' },
          body,
        },
      };
    },
  };
}
