import * as fc from 'fast-check';
import { jsonList, readJson, writeJson } from '../../src/representations/json.js';
import { LISTS, THINGS } from '../../src/representations/kinds.js';
import { listPieces } from '../../src/representations/list.js';
import { manifestShape } from '../../src/representations/manifest-shape.js';
import { errorShape } from '../../src/representations/message.js';
import type { ListShape, Shape, WireRecord } from '../../src/representations/shape.js';
import { buildElement, DECLARATION, elementText, writeXml, xmlList } from '../../src/representations/xml.js';
import { readXml } from '../../src/representations/xml-record.js';
import { readXmlTree } from '../../src/representations/xml-tree.js';
import { holds, legal, recordOf, wild } from './arbitrary.js';
import { layout } from './layout.js';

const shapes: [string, Shape][] = [
  ...Object.entries(THINGS).map(([kind, { shape }]): [string, Shape] => [kind, shape]),
  ...Object.entries(LISTS).map(([kind, { list }]): [string, Shape] => [`a row of ${kind}`, list.row]),
  ['error', errorShape],
  ['descriptor', manifestShape],
];
const lists = Object.entries(LISTS).map(([kind, { list }]): [string, ListShape] => [kind, list]);

describe('The writers of XML', () => {
  test.each(shapes)('agree on every %s, to the byte', (_, shape) => {
    holds(
      fc.property(recordOf(shape, fc.oneof(legal, wild)), (record) => {
        expect(elementText(shape, record)).toBe(buildElement(layout(shape, record)));
      }),
    );
  });

  test.each(shapes)('write every %s so that it is read back equal', (_, shape) => {
    holds(
      fc.property(recordOf(shape, legal), (record) => {
        const text = writeXml(shape, record);
        expect(readXml(shape, Buffer.from(text))).toEqual(record);
      }),
    );
  });

  test.each(shapes)('write well-formed XML whatever text a %s holds', (_, shape) => {
    holds(
      fc.property(recordOf(shape, wild), (record) => {
        const text = writeXml(shape, record);
        expect(readXmlTree(Buffer.from(text)).name).toBe(shape.name);
        expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
      }),
    );
  });

  test('strip terminal sequences and replace what XML forbids', () => {
    const text = writeXml(errorShape, { value: '\u001b[1;31mred\u001b[0m\u0000\ud800\uffff' });
    expect(text).toContain('value="red\ufffd\ufffd\ufffd"');
  });

  test('begin with the declaration of the old servers, double quotes and no prefix', () => {
    const text = writeXml(errorShape, { value: 'a "b" <c>', code: 'NotFound', status: 404, requestId: 'r' });
    expect(text).toBe(
      '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' +
        '<error value="a &quot;b&quot; &lt;c&gt;" code="NotFound" status="404" requestId="r"/>',
    );
  });
});

describe('The writer of JSON', () => {
  test.each(shapes)('writes every %s so that it is read back equal', (_, shape) => {
    holds(
      fc.property(recordOf(shape, legal), (record) => {
        expect(readJson(shape, JSON.parse(writeJson(record)))).toEqual(record);
      }),
    );
  });
});

test('JSON and XML hold the same text, whatever it was', () => {
  holds(
    fc.property(recordOf(errorShape, wild), (record) => {
      const json = readJson(errorShape, JSON.parse(writeJson(record)));
      expect(readXml(errorShape, Buffer.from(writeXml(errorShape, record)))).toEqual(json);
    }),
  );
});

describe('Lists', () => {
  test.each(lists)('of %s hold the rows in their order and the links behind them, in both forms', async (_, shape) => {
    await fc.assert(
      fc.asyncProperty(fc.array(recordOf(shape.row, legal), { maxLength: 4 }), async (rows) => {
        const links = [{ rel: 'up', href: 'http://a/?b&c' }];
        const xml = await joined(listPieces(xmlList(shape), each(rows), itself, () => links));
        expect(xml.startsWith(`${DECLARATION}<${shape.name}>`)).toBe(true);
        const { children } = readXmlTree(Buffer.from(xml));
        expect(children.map((child) => child.name)).toEqual([...rows.map(() => shape.row.name), 'Link']);
        const json = JSON.parse(await joined(listPieces(jsonList(shape), each(rows), itself, () => links)));
        expect(json).toEqual({ [shape.name]: rows, links });
      }),
      { numRuns: 30 },
    );
  });

  test('take a row only when it is asked for', async () => {
    let taken = 0;
    async function* rows(): AsyncGenerator<WireRecord> {
      for (;;) {
        taken++;
        yield { id: taken, name: 'x', description: 'd'.repeat(20_000), uri: 'u', status: 'CREATED' };
      }
    }
    const pieces = listPieces(xmlList(LISTS.applications.list), rows(), itself, () => []);
    for (let index = 0; index < 2; index++) await pieces.next();
    expect(taken).toBe(8);
    await pieces.return(undefined);
  });
});

const itself = (record: WireRecord) => record;

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
