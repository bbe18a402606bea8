import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { detectRuntimes } from '../../src/conpaas/agent/runtimes/index.js';
import { zip } from '../archives/pack.js';
import { desired, expose, openRig, type Rig, textOf } from './agent-rig.js';

const has = (command: string, ...args: string[]) => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const runtimes = await detectRuntimes(process.env);
const servers = runtimes.find(({ name }) => name === 'war')?.version ?? '';
const hasTomcat = servers.includes('Tomcat 1');
const hasJetty = servers.includes('Jetty 9') || servers.includes('Tomcat 9');
const hasJdk = has('javac', '-version');
const EXAMPLES = '/usr/share/tomcat10-examples/examples';
if (!hasTomcat) console.log('skipped: wars need Tomcat (apt-get install tomcat10)');
if (!hasJdk) console.log('skipped: jars need a JDK (apt-get install openjdk-17-jdk-headless)');
const onTomcat = hasTomcat && hasJdk ? describe : describe.skip;
if (!hasJetty) console.log('skipped: wars of Java EE need Jetty 9 (apt-get install jetty9)');
const onJetty = hasJetty ? it : it.skip;
const withJdk = hasJdk ? describe : describe.skip;

let rig: Rig;
let room: string;
beforeAll(async () => {
  rig = await openRig();
  room = await mkdtemp(join(tmpdir(), 'coaps-java-'));
});
afterAll(async () => {
  await rig.close();
  await rm(room, { recursive: true, force: true });
});

onTomcat('a war', () => {
  it('runs on Tomcat with a CATALINA_BASE of its own', async () => {
    const war = join(room, 'hello.war');
    execFileSync('bash', ['examples/hello-war/build.sh', war]);
    const { client } = await rig.agent({ type: 'java' });
    await client.sendCode('code-war', () => createReadStream(war));
    const { application } = await client.apply(desired('code-war', { memory: 256 }));
    expect(application).toMatchObject({ phase: 'running', runtime: 'war' });
    const response = await fetch(await expose(client));
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/<h1|<html/i);
  });

  (existsSync(EXAMPLES) ? it : it.skip)('written elsewhere runs: the examples of Debian', async () => {
    const war = join(room, 'examples.war');
    execFileSync('jar', ['--create', '--file', war, '-C', EXAMPLES, '.']);
    const { client } = await rig.agent({ type: 'java' });
    await client.sendCode('code-war', () => createReadStream(war));
    await client.apply(desired('code-war'));
    const url = await expose(client);
    expect(await textOf(`${url}/servlets/servlet/HelloWorldExample`)).toContain('Hello World');
    expect(await textOf(`${url}/jsp/jsp2/el/basic-arithmetic.jsp`)).toContain('Basic Arithmetic');
  });

  it('that cannot start fails with Tomcat’s own words', async () => {
    const bytes = zip([
      { name: 'WEB-INF/web.xml', content: webXml('<listener><listener-class>no.Such</listener-class></listener>') },
    ]);
    const { client } = await rig.agent({ type: 'java' });
    await client.sendCode('code-war', () => Readable.from([bytes]));
    await expect(client.apply(desired('code-war'))).rejects.toMatchObject({
      kind: 'failed',
      lastLines: expect.arrayContaining([expect.stringContaining('no.Such')]),
    });
  });

  (hasJetty ? it.skip : it)(
    'for a generation of servlets that the machine has not is refused with what to do',
    async () => {
      const { client } = await rig.agent({ type: 'java' });
      await client.sendCode('code-war', () => Readable.from([JAVAX_WAR]));
      await expect(client.apply(desired('code-war'))).rejects.toMatchObject({
        kind: 'rejected',
        message: expect.stringMatching(/javax\.servlet.*jetty9/),
      });
    },
  );

  onJetty('of Java EE runs on the server for it', async () => {
    const { client } = await rig.agent({ type: 'java' });
    await client.sendCode('code-war', () => Readable.from([JAVAX_WAR]));
    await client.apply(desired('code-war', { memory: 256 }));
    const url = await expose(client);
    expect(await textOf(`${url}/page.jsp`)).toContain('3 interface javax.servlet.http.HttpServletRequest');
    expect(await textOf(`${url}/address.jsp`)).toContain('127.0.0.1');
  });
});

/** Its page names the old package; a page is compiled by the server itself. */
const JAVAX_WAR = zip([
  { name: 'WEB-INF/web.xml', content: '<web-app xmlns="http://xmlns.jcp.org/xml/ns/javaee" version="3.1"></web-app>' },
  { name: 'WEB-INF/classes/A.txt', content: 'x' },
  { name: 'page.jsp', content: '<%= 1 + 2 %> <%= javax.servlet.http.HttpServletRequest.class %>' },
  { name: 'address.jsp', content: '<%= request.getRemoteAddr() %>' },
]);

withJdk('an executable jar', () => {
  it('runs as it came', async () => {
    const source = join(room, 'src');
    await mkdir(source);
    await writeFile(
      join(source, 'Main.java'),
      `import com.sun.net.httpserver.*; import java.net.*;
       public class Main { public static void main(String[] a) throws Exception {
         HttpServer s = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
         s.createContext("/", x -> { byte[] b = "from a jar".getBytes(); x.sendResponseHeaders(200, b.length); x.getResponseBody().write(b); x.close(); });
         s.start(); } }`,
    );
    execFileSync('javac', ['-d', source, join(source, 'Main.java')]);
    const file = join(room, 'app.jar');
    execFileSync('jar', ['--create', '--file', file, '--main-class', 'Main', '-C', source, 'Main.class']);
    const { client } = await rig.agent({ type: 'java' });
    await client.sendCode('code-jar', () => createReadStream(file));
    const { application } = await client.apply(desired('code-jar'));
    expect(application.runtime).toBe('jar');
    expect(await textOf(await expose(client))).toBe('from a jar');
  });
});

function webXml(content: string): string {
  return `<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">${content}</web-app>`;
}
