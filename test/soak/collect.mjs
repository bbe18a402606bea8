/** Loaded into a gateway under `--expose-gc`: collects its garbage when its parent asks for it by a signal, and answers with the same. */
process.on('SIGUSR2', () => {
  globalThis.gc();
  process.kill(process.ppid, 'SIGUSR2');
});
