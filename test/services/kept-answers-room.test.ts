import { createKeptAnswers, sendable } from '../../src/http/kept-answers.js';
import { createLedger } from '../../src/store/revisions.js';

const about = { route: '/app', user: 'ada', path: '/app' };
const answerOf = (text: string) => ({ headers: [], body: Buffer.from(text), parts: [], since: 0, about });
const roomFor100kB = () =>
  createKeptAnswers(
    createLedger().revisions(() => true),
    100_000,
  );

describe('the room of kept answers', () => {
  test('holds the bytes of each alone, and not the block that they were cut from', () => {
    const answers = roomFor100kB();
    const small = answerOf('<ünïcode/>');
    expect(small.body.buffer.byteLength).toBeGreaterThan(small.body.length);
    answers.keep('small', small);
    const kept = answers.find('small')?.body;
    expect(kept?.toString()).toBe('<ünïcode/>');
    expect(kept?.buffer.byteLength).toBe(kept?.length);
  });

  test.each([
    ['short ASCII is sent as a string', '<applications/>', '<applications/>'],
    ['other text as bytes', '<ünïcode/>', Buffer.from('<ünïcode/>')],
    ['long text as bytes', 'x'.repeat(20_000), Buffer.from('x'.repeat(20_000))],
  ])('%s', (_, text, sent) => {
    const answers = roomFor100kB();
    answers.keep('key', answerOf(text));
    const found = answers.find('key');
    expect(found && sendable(found)).toEqual(sent);
  });

  test('is never exceeded, and the oldest that nobody asked for leave first', () => {
    const answers = roomFor100kB();
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
