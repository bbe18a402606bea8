import * as fc from 'fast-check';
import { jsonList, readJson, writeJson } from '../../src/representations/json.js';
import { LISTS, THINGS } from '../../src/representations/kinds.js';
import { listPieces, type Row, type RowLink } from '../../src/representations/list.js';
import { manifestShape } from '../../src/representations/manifest-shape.js';
import { errorShape } from '../../src/representations/message.js';
import type { ListShape, Shape } from '../../src/representations/shape.js';
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

const BASE = 'http://a/<b>&c';
const LINKS: RowLink[] = [
  { rel: 'down', type: 'application/jpaas.thing+xml', named: true, path: ['/thing/', 'id', ''] },
  { rel: 'start', type: undefined, named: false, path: ['/thing/', 'id', '/of/', 'owner', '/action/start'] },
  { rel: 'list', type: undefined, named: true, path: ['/thing'] },
];

/** A row of a list beside the same as it stands in a document of its own. */
const rowOf = (shape: ListShape) =>
  fc
    .record({ record: recordOf(shape.row, legal), id: fc.nat(), owner: fc.option(fc.string()), name: fc.option(legal) })
    .map(({ record: { links: _, ...record }, id, owner, name }) => {
      const known = { ...(name !== null && { name }) };
      const links = [
        { rel: 'down', type: 'application/jpaas.thing+xml', href: `${BASE}/thing/${id}`, ...known },
        ...(owner === null
          ? []
          : [{ rel: 'start', href: `${BASE}/thing/${id}/of/${encodeURIComponent(owner)}/action/start` }]),
        { rel: 'list', href: `${BASE}/thing`, ...known },
      ];
      const params = { id, ...(owner !== null && { owner }) };
      return { row: { record, links: LINKS, params, name: name ?? undefined }, whole: { ...record, links } };
    });

describe('Lists', () => {
  test.each(lists)('of %s hold the rows in their order and the links behind them, in both forms', async (_, shape) => {
    await fc.assert(
      fc.asyncProperty(fc.array(rowOf(shape), { maxLength: 4 }), async (given) => {
        const [rows, wholes] = [given.map(({ row }) => row), given.map(({ whole }) => whole)];
        const links = [{ rel: 'up', href: 'http://a/?b&c' }];
        const xml = await joined(listPieces(xmlList(shape, BASE), each(rows), itself, () => links));
        const inside = wholes.map((whole) => elementText(shape.row, whole)).join('');
        const tail = '<Link rel="up" href="http://a/?b&amp;c"/>';
        expect(xml).toBe(`${DECLARATION}<${shape.name}>${inside}${tail}</${shape.name}>`);
        const json = JSON.parse(await joined(listPieces(jsonList(shape, BASE), each(rows), itself, () => links)));
        expect(json).toEqual({ [shape.name]: wholes, links });
      }),
      { numRuns: 30 },
    );
  });

  test('take a row only when it is asked for', async () => {
    let taken = 0;
    async function* rows(): AsyncGenerator<Row> {
      for (;;) {
        taken++;
        const record = { id: taken, name: 'x', description: 'd'.repeat(20_000), uri: 'u', status: 'CREATED' };
        yield { record, links: [], params: {}, name: undefined };
      }
    }
    const pieces = listPieces(xmlList(LISTS.applications.list, BASE), rows(), itself, () => []);
    for (let index = 0; index < 2; index++) await pieces.next();
    expect(taken).toBe(8);
    await pieces.return(undefined);
  });
});

const itself = (row: Row) => row;

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
