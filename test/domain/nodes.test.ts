import fc from 'fast-check';
import { chooseNode, knownWord, nearestVersion, unknownNode } from '../../src/domain/nodes.js';

const offered = [
  { name: 'tomcat', versions: ['9', '10.1'] },
  { name: 'wildfly', versions: ['26'] },
  { name: 'node', versions: [] },
  { name: 'mysql', versions: ['8.0'] },
];
const container = (name: string, version?: string) => ({
  name,
  contentType: 'container',
  ...(version === undefined ? {} : { version }),
});

describe('a node of a template', () => {
  test.each([
    ['JBOSSAS_7', 'jboss'],
    ['WildFly', 'jboss'],
    ['MYSQL_51', 'mysql'],
    ['Tomcat6', 'tomcat'],
    ['spring-java', 'spring'],
    ['node.js', 'node'],
    ['Postgres 9', 'postgresql'],
    ['java_web', 'java'],
    ['COBOL', undefined],
  ])('%s means %s', (name, word) => {
    expect(knownWord(name)).toBe(word);
  });

  test('is what the platform calls so, or has under another word for the same', () => {
    expect(chooseNode(container('JBOSSAS_7'), offered)).toEqual({ name: 'wildfly', version: '26' });
    expect(chooseNode(container('NodeJS'), offered)).toEqual({ name: 'node' });
    expect(chooseNode(container('php'), offered)).toBeUndefined();
  });

  test('without a version gets the newest, with one the nearest and a remark', () => {
    expect(chooseNode(container('tomcat', ''), offered)).toEqual({ name: 'tomcat', version: '10.1' });
    expect(chooseNode(container('tomcat', '9'), offered)).toEqual({ name: 'tomcat', version: '9' });
    expect(chooseNode(container('tomcat', '10'), offered)).toEqual({ name: 'tomcat', version: '10.1' });
    expect(chooseNode(container('tomcat', '6.0.35'), offered)).toEqual({
      name: 'tomcat',
      version: '9',
      remark: 'tomcat 6.0.35 is not offered; tomcat 9 is used.',
    });
  });

  test('that nothing matches is told with what there is', () => {
    expect(unknownNode(container('COBOL'), offered)).toBe(
      'The container "COBOL" is not known here. There is: tomcat, wildfly, node, mysql.',
    );
  });

  test('always gets an offered version, its own when that is offered', () => {
    const version = fc.array(fc.nat(30), { minLength: 1, maxLength: 3 }).map((numbers) => numbers.join('.'));
    fc.assert(
      fc.property(fc.string(), fc.array(version, { minLength: 1 }), fc.nat(), (wanted, versions, pick) => {
        expect(versions).toContain(nearestVersion(wanted, versions));
        const present = versions[pick % versions.length] ?? '';
        const numbers = (text: string) => text.split('.').map(Number);
        const chosen = numbers(nearestVersion(present, versions) ?? '');
        const length = Math.min(chosen.length, numbers(present).length);
        expect(chosen.slice(0, length)).toEqual(numbers(present).slice(0, length));
      }),
    );
  });
});
