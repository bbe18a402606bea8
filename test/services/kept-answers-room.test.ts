import { createKeptAnswers } from '../../src/http/kept-answers.js';
import { createLedger } from '../../src/store/revisions.js';

const about = { route: '/app', user: 'ada', path: '/app' };
const answerOf = (text: string) => ({ headers: [], body: Buffer.from(text), parts: [], since: 0, about });

describe('the room of kept answers', () => {
  test('holds the bytes of each alone, and not the block that they were cut from', () => {
    const answers = createKeptAnswers(
      createLedger().revisions(() => true),
      100_000,
    );
    const small = answerOf('<ünïcode/>');
    expect(small.body.buffer.byteLength).toBeGreaterThan(small.body.length);
    answers.keep('small', small);
    const kept = answers.find('small')?.body;
    if (!Buffer.isBuffer(kept)) throw new Error('Other text than ASCII is kept as bytes.');
    expect(kept.toString()).toBe('<ünïcode/>');
    expect(kept.buffer.byteLength).toBe(kept.length);
  });

  test('holds short ASCII as a string, which leaves together with the head of its answer', () => {
    const answers = createKeptAnswers(
      createLedger().revisions(() => true),
      100_000,
    );
    answers.keep('small', answerOf('<applications/>'));
    expect(answers.find('small')?.body).toBe('<applications/>');
    answers.keep('long', answerOf('x'.repeat(20_000)));
    expect(answers.find('long')?.body).toEqual(Buffer.from('x'.repeat(20_000)));
  });

  test('is never exceeded, and the oldest that nobody asked for leave first', () => {
    const answers = createKeptAnswers(
      createLedger().revisions(() => true),
      100_000,
    );
    const keys = Array.from({ length: 500 }, (_, index) => `key ${index}`);
    for (const key of keys) {
      answers.keep(key, answerOf('x'.repeat(3000)));
      answers.find('key 0');
    }
    const left = keys.filter((key) => answers.find(key) !== undefined);
    expect(left).toContain('key 0');
    expect(left).toContain('key 499');
    expect(left.length * 3000).toBeLessThan(100_000);
    expect(left.length).toBeGreaterThan(15);
  });
});
