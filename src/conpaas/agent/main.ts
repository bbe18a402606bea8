/**
 * The agent: a process of its own that outlives the gateway. `node main.js FOLDER`, with an environment built from nothing. It ends
 * itself and its application when it is told to, when its folder is gone, and when no manager claims it soon after its birth.
 * Exit codes: 0 told to end, 1 a fault, 3 another process holds the folder, 4 nobody claimed it, 5 its folder is gone.
 */
import { readFile, rm, stat } from 'node:fs/promises';
import type { Credential } from '../certificates.js';
import { createSecureServer } from '../secure-server.js';
import { openAgent, type RunningAgent } from './agent.js';
import { writeAtomically, writeJson } from './atomic-file.js';
import { createAgentApi } from './http-api.js';
import { endMsFor } from './patience.js';
import { freePort } from './ports.js';
import { killMarked } from './processes.js';
import { OLDEST_PROTOCOL, PROTOCOL } from './protocol.js';
import { type AgentEndpoint, type AgentSpec, agentFiles, holdFolder, readSpec } from './spec.js';
import { pause } from './wait.js';

const FOLDER_CHECK_MS = 2000;

const folder = process.argv[2] ?? '';
const files = agentFiles(folder);

async function main(): Promise<void> {
  process.umask(0o077);
  process.title = 'coaps-agent';
  const spec = await readSpec(folder);
  if (!spec) throw new Error(`There is no spec.json in ${folder}.`);
  if (!(await holdFolder(folder))) process.exit(3);

  const agent = await openAgent(folder, spec);
  const end = ender(agent, spec);
  const credential: Credential = {
    certificate: await readFile(files.certificate, 'utf8'),
    key: await readFile(files.key, 'utf8'),
  };
  let claimed = false;
  const server = createSecureServer({
    credential,
    authority: await readFile(files.authority, 'utf8'),
    peers: {
      isRevoked: async () => false,
      clock: () => new Date(),
      accepts: (peer) => peer?.role === 'manager' && peer.uid === spec.uid && peer.serviceLocator === spec.sid,
    },
    handler: createAgentApi({
      agent,
      onRequest: () => {
        claimed = true;
      },
      renew: async (renewed) => {
        await writeAtomically(files.key, renewed.key);
        await writeAtomically(files.certificate, renewed.certificate);
        server.use(renewed);
      },
      end: () => void end(0),
    }),
  });
  await announceAndListen(spec.host, server.listen);

  for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(fault, (error: unknown) => {
      console.error(error);
      void end(1);
    });
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(0));
  process.on('SIGHUP', () => {});
  setTimeout(() => claimed || void end(4), spec.claimSeconds * 1000);
  setInterval(async () => {
    if (!(await stat(files.spec).catch(() => undefined))) await end(5);
  }, FOLDER_CHECK_MS);
}

/** The endpoint stands in the folder before anybody can connect: no listening agent is ever unknown to who reads the folders. */
async function announceAndListen(host: string, listen: (host: string, port: number) => Promise<number>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const address = { host, port: await freePort() };
    const endpoint: AgentEndpoint = {
      pid: process.pid,
      address,
      protocol: PROTOCOL,
      oldestProtocol: OLDEST_PROTOCOL,
    };
    await writeJson(files.endpoint, endpoint);
    try {
      await listen(host, address.port);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt > 5) throw error;
    }
  }
}

/** Ends once: everything of the application first, with force when it takes too long. */
function ender(agent: RunningAgent, { mark, owner, type }: AgentSpec): (code: number) => Promise<void> {
  let ending: Promise<void> | undefined;
  return (code) => {
    ending ??= Promise.race([agent.close().catch(console.error), pause(endMsFor(type))]).then(async () => {
      await killMarked(`${mark}.run`, owner);
      await rm(files.endpoint, { force: true });
      await rm(files.holder, { force: true });
      process.exit(code);
    });
    return ending;
  };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
