import { isDeepStrictEqual } from 'node:util';
import { isFault } from '../../../src/domain/errors.js';
import type { Manifest } from '../../../src/domain/manifest.js';
import { type BodyFormat, readBody } from '../../../src/representations/bodies.js';
import { manifestRecord, writeManifest } from '../../../src/representations/manifest-writer.js';
import { type Target, Violation } from '../target.js';

const OLDER = `<paas_application_manifest name="M"><description>D</description><paas_application name="A" environement="E" multitenant="yes">
<paas_application_version name="v" label="1"><paas_application_deployable name="a.war" content_type="artifact" location="http://h/a.war" multitenancy_level="SharedInstance"/>
<paas_application_version_instance name="I" initial_stat="1" default_instance="true" memory="64" disk="1"/></paas_application_version></paas_application>
<paas_environment name="E" template="T" provider="CF"><paas_environment_template name="T" memory="65" disk="10"><description>d</description>
<paas_environment_node content_type="container" name="JBOSSAS_7" version="" provider="p"/><paas_environment_configuration name="c"><paas_environment_variable name="A" value="b"/></paas_environment_configuration></paas_environment_template></paas_environment></paas_application_manifest>`;
const NEWER = `<paas_manifest name="M"><paas_description>D</paas_description><paas_application name="A"><paas_version label="1" description="x"><paas_deployable name="a" location="C:\\a\\b.war" content_type="folder"/><paas_version_instance/></paas_version>
<paas_environment name="E" description="d" provider="OS" config_template="T"/><paas_configuration_template name="T" memory="128"><paas_node content_type="database" name="MYSQL_51" version="5"/><paas_configuration_option option_name="o" default_value="v"/></paas_configuration_template></paas_application></paas_manifest>`;
const JSON_FORM = JSON.stringify({
  name: 'M',
  paas_application: {
    name: 'A',
    paas_application_version: [{ name: 'v', paas_application_deployable: [{ name: 'a.zip' }] }],
  },
  paas_environment: {
    name: 'E',
    paas_environment_template: { memory: 64, paas_environment_node: [{ content_type: 'container', name: 'node' }] },
  },
});
const KINDS = ['manifest', 'user', 'password', 'key'] as const;

/** Both dialects and JSON into the same value, or a Fault. */
export const DESCRIPTORS: Target = {
  name: 'descriptors',
  covers: ['/src/representations/'],
  seeds: () =>
    [OLDER, NEWER, JSON_FORM, '<user name="a" password="b" role="admin"/>', '{"password":"x"}'].map((text) =>
      Buffer.from(text),
    ),
  words: [
    ...((OLDER + NEWER).match(/paas_\w+/g) ?? []),
    'name="',
    'memory="',
    '__proto__',
    'constructor',
    'toString',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    'null',
    'true',
    '1e400',
    '-1',
    '\\u0000',
    '\\ud800',
    '&#13;',
    '&amp;',
    '<',
    '/>',
    ' ',
    '\n',
    'yes',
    'no',
    'folder',
    'artifact',
    '\0',
  ],
  open: async () => ({ run: async (input) => judge(input), close: async () => {} }),
};

function judge(input: Buffer): void {
  const format: BodyFormat = /^\s*[{[]/.test(input.toString('latin1')) ? 'json' : 'xml';
  for (const kind of KINDS) read(kind, format, input);
  const manifest = read('manifest', format, input) as Manifest | undefined;
  // One that says nothing is taken, and nothing of it could come back.
  if (!manifest?.application && !manifest?.environment) return;
  const written = writeManifest(manifest);
  const fromXml = readBody('manifest', 'xml', Buffer.from(written));
  // JSON can hold what XML cannot; what was read from XML comes back as it was.
  if (format === 'xml') same(manifest, fromXml, written);
  same(fromXml, readBody('manifest', 'xml', Buffer.from(writeManifest(fromXml))), written);
  const record = JSON.stringify(manifestRecord(fromXml));
  same(fromXml, readBody('manifest', 'json', Buffer.from(record)), record);
}

function read(kind: (typeof KINDS)[number], format: BodyFormat, input: Buffer): unknown {
  try {
    return readBody(kind, format, input);
  } catch (error) {
    if (isFault(error) && error.status === 400) return undefined;
    throw error;
  }
}

function same(one: Manifest, other: Manifest, written: string): void {
  if (!isDeepStrictEqual(one, other))
    throw new Violation(`${JSON.stringify(one)} comes back as ${JSON.stringify(other)} from ${written}`);
}
