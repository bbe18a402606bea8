export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  testSequencer: '<rootDir>/test/jest/sequencer.mjs',
  globalSetup: '<rootDir>/test/jest/setup.mjs',
  transform: { '\\.test\\.ts$': '<rootDir>/test/jest/transform.mjs' },
  reporters: ['default', '<rootDir>/jest-reporter.mjs'],
  testTimeout: 180_000,
  // More than there are processors: tests mostly wait for processes of their own.
  maxWorkers: 4,
  workerIdleMemoryLimit: '2GB',
};
