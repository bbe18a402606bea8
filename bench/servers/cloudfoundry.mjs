/** The tests' fake Cloud Foundry as a process of its own; prints the options of an adapter that lead to it. */
const { startCloudFoundry } = await import(new URL('../../test/support/cloudfoundry.ts', import.meta.url).href);

const fake = await startCloudFoundry();
process.stdout.write(`options ${JSON.stringify(fake.options())}\n`);
process.once('SIGTERM', async () => {
  await fake.close();
  process.exit(0);
});
